import type { CsvFormat } from '@millwright/core'
import { jsonNumber } from './cell-number.ts'
import type { CsvColumns } from './csv-columns.ts'
import type { CsvRow } from './csv-rows.ts'
import { createTimeReader } from './time-format.ts'

/** Spellings of "no value", beside the empty cell. Exactly these; docs/formats/csv.md lists them. */
export const missingSpellings: ReadonlySet<string> = new Set([
  '',
  'NaN',
  'nan',
  'NA',
  'N/A',
  'n/a',
  '#N/A',
  'null',
  'NULL',
  'None',
])

/**
 * Makes the function that turns a row into the JSON line of one reading, without the newline. What cannot be a reading
 * becomes a line that the decoder refuses, with the row's own text in it, so that it is counted and kept like any other
 * refused record; `null` for a row whose cells are all empty.
 *
 * @throws {ConfigurationError} When the time format or zone is none.
 */
export function createRowReader(format: CsvFormat, columns: CsvColumns): (row: CsvRow) => string | null {
  const readTime = createTimeReader(format.timestamp)
  const channels = Object.keys(format.channels).map((name, index) => ({
    key: `,${JSON.stringify(name)}:`,
    column: columns.channels[index] ?? 0,
  }))
  const idJson = createIdPrinter(format)

  return (row) => {
    if (row.kind === 'unreadable') return refusedLine(row.problem, row.text)
    const { cells } = row
    if (cells.length !== columns.count) {
      if (cells.every((cell) => cell.trim() === '')) return null
      return refusedLine(`the row has ${cells.length} cells, the header ${columns.count}`, cells.join(format.delimiter))
    }
    const id = columns.deviceId === null ? '' : trimmed(cells[columns.deviceId] ?? '')
    const time = trimmed(cells[columns.timestamp] ?? '')
    let line = `{"deviceId":${idJson(id)}`
    if (time !== '') line += `,"timestamp":${timeJson(time)}`
    let empty = id === '' && time === ''
    for (const { key, column } of channels) {
      const cell = trimmed(cells[column] ?? '')
      const number = jsonNumber(cell, format.decimal)
      if (number !== null) line += key + number
      else if (!missingSpellings.has(cell)) line += key + JSON.stringify(cell)
      else continue
      empty = false
    }
    return empty && cells.every((cell) => cell.trim() === '') ? null : `${line}}`
  }

  function timeJson(text: string): string {
    const epochMs = readTime(text)
    if (!Number.isNaN(epochMs)) return String(epochMs)
    // The decoder must not take for a time what is one only in another format than the file's.
    return JSON.stringify(`${text} (not a time in the format ${format.timestamp.format}, ${format.timestamp.timeZone})`)
  }
}

/** Ids repeat from row to row: the last one is not printed anew. */
function createIdPrinter(format: CsvFormat): (id: string) => string {
  if ('value' in format.deviceId) {
    const fixed = JSON.stringify(format.deviceId.value)
    return () => fixed
  }
  let last = ''
  let lastJson = '""'
  return (id) => {
    if (id !== last) {
      last = id
      lastJson = JSON.stringify(id)
    }
    return lastJson
  }
}

/** A JSON array is never a reading: the decoder refuses it, and its bytes say why. */
function refusedLine(problem: string, text: string): string {
  return JSON.stringify([problem, text])
}

/** Like `trim`, but does nothing where there is nothing to do, which is nearly always. */
function trimmed(cell: string): string {
  return cell.charCodeAt(0) > 32 && cell.charCodeAt(cell.length - 1) > 32 ? cell : cell.trim()
}
