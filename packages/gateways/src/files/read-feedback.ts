import { ConfigurationError } from '@millwright/core'
import { type CsvRow, createRowSplitter } from './csv/csv-rows.ts'
import { createFeedbackRowReader, delimiterOf } from './csv/feedback-rows.ts'
import { type ReadProgress, readFileLines } from './read-file-lines.ts'
import { readingFileKind } from './read-readings.ts'

/** Newline-separated verdicts of a file. */
export interface FeedbackLines {
  readonly bytes: Uint8Array
  /** Number of the first one in the file, from 1; in a CSV file, of its row below the header. Blank ones count in NDJSON only. */
  readonly firstLine: number
}

/**
 * Reads a file of verdicts, NDJSON or (by its name, as readings) CSV, plain or gzip; docs/guide/feedback.md has the columns.
 *
 * @throws {ConfigurationError} When the file cannot be opened, or a CSV file lacks columns.
 * @throws {InputDamagedError} When compressed data ends early or is damaged; what came before was given out.
 */
export async function* readFeedback(path: string, onProgress?: ReadProgress): AsyncGenerator<FeedbackLines, void> {
  const chunks = readFileLines(path, onProgress === undefined ? {} : { onProgress })
  if (readingFileKind(path) === 'ndjson') {
    let firstLine = 1
    for await (const { bytes } of chunks) {
      yield { bytes, firstLine }
      firstLine += countNewlines(bytes)
    }
    return
  }
  let splitter: ReturnType<typeof createRowSplitter> | null = null
  let readRow: ((row: CsvRow) => string | null) | null = null
  let firstLine = 1
  const linesOf = (rows: readonly CsvRow[]): string[] => {
    const lines: string[] = []
    for (const row of rows) {
      if (readRow === null) {
        if (row.kind === 'unreadable') throw headerMissing(path, row.text.slice(0, 200))
        readRow = createFeedbackRowReader(path, row.cells)
        continue
      }
      const line = readRow(row)
      if (line !== null) lines.push(`${line}\n`)
    }
    return lines
  }
  for await (const { bytes, positionAfter } of chunks) {
    splitter ??= createRowSplitter(delimiterOf(headerOf(bytes)))
    const lines = linesOf(splitter.push(bytes, positionAfter))
    yield { bytes: Buffer.from(lines.join('')), firstLine }
    firstLine += lines.length
  }
  const last = linesOf(splitter?.end() ?? [])
  if (readRow === null) throw headerMissing(path, 'nothing')
  if (last.length > 0) yield { bytes: Buffer.from(last.join('')), firstLine }
}

/** The first line; a byte order mark before it is blanked in place, so that it is no part of a name. */
function headerOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes.fill(0x20, 0, 3)
  const end = bytes.indexOf(10)
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString()
}

function countNewlines(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count += 1
  return count
}

function headerMissing(path: string, found: string): ConfigurationError {
  const wanted = 'a first row that names the columns: id, deviceId, verdict, from, to, recordedAt'
  return new ConfigurationError(`"${path}" cannot be read as verdicts.`, [{ field: 'input', found, wanted }])
}
