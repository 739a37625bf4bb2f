import { decodeUtf8, limits } from '@millwright/core'
import {
  createRowSplitter,
  jsonNumber,
  missingSpellings,
  readFileLines,
  readingFileKind,
} from '@millwright/gateways/files'
import { createTableReader, RowError, type RowShape, readJsonRow, type TableReader } from '@millwright/scoring'

/** Rows of one file, in order. */
export interface RowBatch {
  /** `featureCount` values a row. The memory is reused: it holds until the next batch is asked for. */
  readonly values: Float32Array
  readonly rowCount: number
}

/** Rows scored at once: enough for the kernel, few enough for the memory of a model of very many features. */
const valuesPerBatch = 262_144
const rowsPerBatchMax = 4096

const newline = 10

/**
 * Reads the rows of an NDJSON or CSV file (plain or .gz), a batch at a time. Blank lines are no rows. A CSV file has a header;
 * its cells are parted by a tab in `.tsv`, else by commas, or by semicolons where the header has those and no comma.
 *
 * @throws {RowError} At the first line that cannot be read; the rows before it were given out.
 * @throws {ConfigurationError} When the file cannot be opened.
 */
export async function* readRows(
  path: string,
  shape: RowShape,
  onProgress: (readBytes: number) => void,
): AsyncGenerator<RowBatch, void> {
  const rowsMax = Math.max(1, Math.min(rowsPerBatchMax, Math.floor(valuesPerBatch / shape.featureCount)))
  const values = new Float32Array(rowsMax * shape.featureCount)
  let rowCount = 0
  let problem: RowError | null = null
  const rows = readingFileKind(path) === 'csv' ? csvRows(path, shape, onProgress) : jsonRows(path, shape, onProgress)
  try {
    for await (const chunk of rows) {
      for (const fill of chunk) {
        fill(values, rowCount * shape.featureCount)
        rowCount += 1
        if (rowCount < rowsMax) continue
        yield { values, rowCount }
        rowCount = 0
      }
    }
  } catch (error) {
    if (!(error instanceof RowError)) throw error
    problem = error
  }
  if (rowCount > 0) yield { values, rowCount }
  if (problem !== null) throw problem
}

/** Writes one row's values; throws the row's own error. */
type FillRow = (into: Float32Array, start: number) => void

async function* jsonRows(
  path: string,
  shape: RowShape,
  onProgress: (readBytes: number) => void,
): AsyncGenerator<Iterable<FillRow>, void> {
  let line = 0
  for await (const { bytes } of readFileLines(path, { onProgress })) {
    const first = line + 1
    for (const byte of bytes) if (byte === newline) line += 1
    yield fillersOf(bytes, first, shape)
  }
}

function* fillersOf(bytes: Uint8Array, firstLine: number, shape: RowShape): Iterable<FillRow> {
  let line = firstLine
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(newline, start)
    const text = textOf(bytes, start, end, line)
    start = end + 1
    const number = line
    if (text.trim() !== '') yield (into, at) => readJsonRow(text, number, shape, into, at)
  }
}

function textOf(bytes: Uint8Array, start: number, end: number, line: number): string {
  if (end - start > limits.lineBytesMax)
    throw new RowError(line, null, `more than ${limits.lineBytesMax} bytes`, 'a line of at most that')
  const text = decodeUtf8(bytes, start, end)
  if (text === null) throw new RowError(line, null, 'bytes that are not UTF-8', 'UTF-8')
  return text
}

async function* csvRows(
  path: string,
  shape: RowShape,
  onProgress: (readBytes: number) => void,
): AsyncGenerator<Iterable<FillRow>, void> {
  let splitter: ReturnType<typeof createRowSplitter> | null = null
  let table: TableReader | null = null
  let line = 0
  const fillers = (found: ReturnType<ReturnType<typeof createRowSplitter>['push']>): FillRow[] => {
    const filled: FillRow[] = []
    for (const row of found) {
      // Positions were asked for as numbers of lines.
      const number = row.position
      if (row.kind === 'unreadable') {
        filled.push(() => {
          throw new RowError(number, null, JSON.stringify(row.text), `a row that can be read: ${row.problem}`)
        })
      } else if (table === null) table = createTableReader(row.cells, number, shape, toNumber, missingSpellings)
      else {
        const reader = table
        filled.push((into, at) => reader.read(row.cells, number, into, at))
      }
    }
    return filled
  }
  for await (const { bytes } of readFileLines(path, { onProgress })) {
    splitter ??= createRowSplitter(delimiterOf(path, bytes))
    const first = line + 1
    for (const byte of bytes) if (byte === newline) line += 1
    yield fillers(splitter.push(bytes, (index) => first + index))
  }
  if (splitter !== null) yield fillers(splitter.end())
}

const toNumber = (cell: string): string | null => jsonNumber(cell, '.')

function delimiterOf(path: string, bytes: Uint8Array): string {
  if (/\.tsv(?:\.gz)?$/i.test(path)) return '\t'
  const header = decodeUtf8(bytes, 0, bytes.indexOf(newline)) ?? ''
  return !header.includes(',') && header.includes(';') ? ';' : ','
}
