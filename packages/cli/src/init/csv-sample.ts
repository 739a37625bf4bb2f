import { ConfigurationError } from '@millwright/core'
import { createRowSplitter, jsonNumber, missingSpellings, readFileLines } from '@millwright/gateways/files'

/** The beginning of a CSV file, cut into cells. */
export interface CsvSample {
  readonly delimiter: string
  readonly decimal: '.' | ','
  readonly header: readonly string[]
  /** Of as many cells as the header, trimmed. */
  readonly rows: readonly (readonly string[])[]
}

const delimiters = [',', ';', '\t', '|'] as const
const sampleRowsMax = 2000

/**
 * Reads the first rows of a CSV file, and finds its delimiter and decimal mark by trying.
 *
 * @throws {ConfigurationError} When the file cannot be read, has no rows, or has no header.
 */
export async function readCsvSample(path: string): Promise<CsvSample> {
  const bytes = await firstBytes(path)
  const tables = delimiters.map((delimiter) => ({ delimiter, ...tableOf(bytes, delimiter) }))
  // The delimiter that gives the most columns, in rows that agree with the header; a comma where none gives two.
  const best = tables.reduce((a, b) => (agreedCells(b) > agreedCells(a) ? b : a))
  const { delimiter, header, rows } = best
  if (rows.length === 0) throw unusable(path, 'no row below the first')
  if (header.every((cell) => jsonNumber(cell, '.') !== null || cell === ''))
    throw unusable(path, `the first row ${header.slice(0, 5).join(delimiter)}, which names no columns`)
  return { delimiter, decimal: guessDecimal(rows, delimiter), header, rows }
}

/** The first chunk of the file, which is a good many rows. */
async function firstBytes(path: string): Promise<Uint8Array> {
  for await (const { bytes } of readFileLines(path)) return bytes
  throw unusable(path, 'nothing in it')
}

function tableOf(bytes: Uint8Array, delimiter: string): { header: string[]; rows: string[][]; raggedCount: number } {
  const rows = createRowSplitter(delimiter)
    .push(bytes, () => 0)
    .flatMap((row) => (row.kind === 'row' ? [row.cells.map((cell) => cell.trim())] : []))
    .filter((cells) => !/^sep=.?$/i.test(cells[0] ?? ''))
    .slice(0, sampleRowsMax + 1)
  const [header = [], ...others] = rows
  const even = others.filter((cells) => cells.length === header.length)
  return { header, rows: even, raggedCount: others.length - even.length }
}

/** How many columns a delimiter gives; 0 when one row in ten disagrees with the header. */
function agreedCells({ header, rows, raggedCount }: ReturnType<typeof tableOf>): number {
  return raggedCount * 10 > rows.length ? 0 : header.length
}

function guessDecimal(rows: readonly (readonly string[])[], delimiter: string): '.' | ',' {
  if (delimiter === ',') {
    // A comma inside a cell can then only have come in quotes.
    return countCells(rows, /^[+-]?\d+,\d+$/) > countCells(rows, /^[+-]?\d*\.?\d+$/) ? ',' : '.'
  }
  return countCells(rows, /^[+-]?\d*,\d+$/) > countCells(rows, /^[+-]?\d*\.\d+$/) ? ',' : '.'
}

function countCells(rows: readonly (readonly string[])[], pattern: RegExp): number {
  let count = 0
  for (const cells of rows) for (const cell of cells) if (!missingSpellings.has(cell) && pattern.test(cell)) count++
  return count
}

function unusable(path: string, found: string): ConfigurationError {
  return new ConfigurationError(`"${path}" cannot serve as a sample.`, [
    { field: '--from', found, wanted: 'a CSV file whose first row names the columns, with readings below' },
  ])
}
