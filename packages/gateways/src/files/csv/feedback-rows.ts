import { ConfigurationError } from '@millwright/core'
import type { CsvRow } from './csv-rows.ts'
import { createTimeReader } from './time-format.ts'

const timeFields: ReadonlySet<string> = new Set(['from', 'to', 'failureAt', 'recordedAt'])
const wantedColumns = ['id', 'deviceId', 'verdict', 'from', 'to', 'recordedAt'] as const

/** Delimiters that a file of verdicts may have; the header tells which. */
const delimiters = [',', ';', '\t'] as const

/** Returns the delimiter that cuts a header into the most cells; a comma where none does. */
export function delimiterOf(header: string): string {
  const cells = (delimiter: string): number => header.split(delimiter).length
  return delimiters.reduce<string>((best, delimiter) => (cells(delimiter) > cells(best) ? delimiter : best), ',')
}

/**
 * Makes what turns a row into the JSON line of one verdict: a column named like a field is that field, `modelName` and
 * `modelVersion` are the model, others are kept as text. `revision` is 0 where there is no such column or the cell is empty; an empty
 * cell is no field. Times: epoch milliseconds, or ISO 8601 with a zone. What cannot be a verdict becomes a line that is refused,
 * with the row's own text; `null` for a row whose cells are all empty.
 *
 * @throws {ConfigurationError} When the header lacks a column that a verdict needs, or has a name twice.
 */
export function createFeedbackRowReader(path: string, header: readonly string[]): (row: CsvRow) => string | null {
  const names = header.map((cell) => cell.trim())
  const problems = wantedColumns.flatMap((name) => {
    const count = names.filter((found) => found === name).length
    return count === 1
      ? []
      : [{ field: name, found: count === 0 ? names.join(', ') : `${count} columns`, wanted: 'one column' }]
  })
  if (problems.length > 0) throw new ConfigurationError(`"${path}" does not have the columns of verdicts.`, problems)
  const readIso = createTimeReader({ format: 'iso', timeZone: 'UTC' })
  return (row) => {
    if (row.kind === 'unreadable') return JSON.stringify([row.problem, row.text])
    const cells = row.cells.map((cell) => cell.trim())
    if (cells.every((cell) => cell === '')) return null
    if (cells.length !== names.length)
      return JSON.stringify([`the row has ${cells.length} cells, the header ${names.length}`, cells.join(',')])
    const record: Record<string, unknown> = { revision: 0 }
    for (const [i, name] of names.entries()) {
      const cell = cells[i] ?? ''
      if (name === '' || cell === '' || name === 'modelName' || name === 'modelVersion') continue
      record[name] = timeFields.has(name) ? timeOf(cell, readIso) : name === 'revision' ? numberOr(cell) : cell
    }
    const [modelName, modelVersion] = [
      cells[names.indexOf('modelName')] ?? '',
      cells[names.indexOf('modelVersion')] ?? '',
    ]
    if (modelName !== '' || modelVersion !== '') record['model'] = { name: modelName, version: modelVersion }
    return JSON.stringify(record)
  }
}

/** A time that does not say its zone stays text, which is refused: nobody knows whose noon it was. */
function timeOf(cell: string, readIso: (text: string) => number): number | string {
  if (/^\d+$/.test(cell)) return Number(cell)
  const hasZone = /(?:[zZ]|[+-]\d\d(?::?\d\d)?)$/.test(cell) && /[tT ]\d/.test(cell)
  const timeMs = hasZone ? readIso(cell) : Number.NaN
  return Number.isNaN(timeMs) ? cell : timeMs
}

function numberOr(cell: string): number | string {
  return /^\d+$/.test(cell) ? Number(cell) : cell
}
