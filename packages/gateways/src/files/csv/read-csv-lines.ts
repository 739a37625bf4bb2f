import { ConfigurationError, type CsvFormat } from '@millwright/core'
import { type FileLines, type ReadFileOptions, readFileLines } from '../read-file-lines.ts'
import { type CsvColumns, findColumns } from './csv-columns.ts'
import { createRowReader } from './csv-reading.ts'
import { type CsvRow, createRowSplitter } from './csv-rows.ts'

/**
 * Reads a CSV file (plain or gzip) as chunks of JSON lines, one reading a row, as docs/formats/csv.md describes.
 * Positions are those of the CSV file, each just after a row.
 *
 * @throws {ConfigurationError} When the file cannot be opened, has no header, or lacks columns that the format names.
 * @throws {InputDamagedError} When compressed data ends early or is damaged; the rows before were given out.
 * @throws {InputShrankError} When the file is shorter than `startPosition`.
 */
export async function* readCsvLines(
  path: string,
  format: CsvFormat,
  options: ReadFileOptions = {},
): AsyncGenerator<FileLines, void> {
  const { columns, endPosition: headerEnd } = await readHeader(path, format)
  const readRow = createRowReader(format, columns)
  const splitter = createRowSplitter(format.delimiter)
  const startPosition = Math.max(options.startPosition ?? 0, headerEnd)
  for await (const lines of readFileLines(path, { ...options, startPosition })) {
    const chunk = toLines(splitter.push(lines.bytes, lines.positionAfter), readRow)
    if (chunk !== null) yield chunk
  }
  const last = toLines(splitter.end(), readRow)
  if (last !== null) yield last
}

function toLines(rows: readonly CsvRow[], readRow: (row: CsvRow) => string | null): FileLines | null {
  let text = ''
  const positions: number[] = []
  for (const row of rows) {
    const line = readRow(row)
    if (line === null) continue
    text += `${line}\n`
    positions.push(row.position)
  }
  const endPosition = rows.at(-1)?.position
  if (endPosition === undefined || positions.length === 0) return null
  return { bytes: new TextEncoder().encode(text), endPosition, positionAfter: (line) => positions[line] ?? endPosition }
}

async function readHeader(path: string, format: CsvFormat): Promise<{ columns: CsvColumns; endPosition: number }> {
  const splitter = createRowSplitter(format.delimiter)
  for await (const { bytes, positionAfter } of readFileLines(path)) {
    refuseUtf16(path, bytes)
    blankByteOrderMark(bytes)
    for (const row of splitter.push(bytes, positionAfter)) {
      if (isSeparatorLine(row)) continue
      if (row.kind === 'unreadable')
        throw noHeader(path, `${JSON.stringify(row.text.slice(0, 200))}, where ${row.problem}`)
      return { columns: findColumns(path, row.cells, format), endPosition: row.position }
    }
  }
  throw noHeader(path, 'no row')
}

/** Excel may begin a file with a line `sep=;`, which is not part of the table. */
function isSeparatorLine(row: CsvRow): boolean {
  return row.kind === 'row' && /^sep=.?$/i.test(row.cells[0]?.trim() ?? '') && row.cells.length <= 2
}

/** Spreadsheets may write one before the header; as spaces it is no part of the first column's name. */
function blankByteOrderMark(bytes: Uint8Array): void {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes.fill(32, 0, 3)
}

function refuseUtf16(path: string, bytes: Uint8Array): void {
  const mark = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)
  if (mark === 0xfffe || mark === 0xfeff) throw noHeader(path, 'text in UTF-16')
}

function noHeader(path: string, found: string): ConfigurationError {
  const wanted = 'a UTF-8 file whose first row names the columns'
  return new ConfigurationError(`"${path}" cannot be read as CSV.`, [{ field: 'input', found, wanted }])
}
