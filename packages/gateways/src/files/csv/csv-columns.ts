import { ConfigurationError, type ConfigurationProblem, type CsvFormat } from '@millwright/core'

/** Where in a row each thing is: indices of cells, from 0. */
export interface CsvColumns {
  /** Cells that a row must have. */
  readonly count: number
  /** `null` where the format has a fixed id. */
  readonly deviceId: number | null
  readonly timestamp: number
  /** In the order of the channels. */
  readonly channels: readonly number[]
}

/**
 * Finds the columns that a format names in a file's header.
 *
 * @param header Cells of the first row; spaces around a name do not count.
 * @throws {ConfigurationError} Naming every column that is missing or there twice, and what the header has.
 */
export function findColumns(path: string, header: readonly string[], format: CsvFormat): CsvColumns {
  const names = header.map((cell) => cell.trim())
  const problems: ConfigurationProblem[] = []
  const find = (field: string, column: string): number => {
    const index = names.indexOf(column)
    const found = JSON.stringify(column)
    if (index < 0)
      problems.push({ field: `csv.${field}`, found, wanted: `a column of the header: ${describeHeader(names)}` })
    else if (names.indexOf(column, index + 1) >= 0)
      problems.push({ field: `csv.${field}`, found, wanted: 'a column whose name the header has once' })
    return index
  }
  const deviceId = 'column' in format.deviceId ? find('deviceId.column', format.deviceId.column) : null
  const timestamp = find('timestamp.column', format.timestamp.column)
  const channels = Object.entries(format.channels).map(([channel, column]) => find(`channels.${channel}`, column))
  if (problems.length === 0) return { count: names.length, deviceId, timestamp, channels }
  const hint =
    names.length === 1
      ? ` Its header has one column: is the delimiter ${JSON.stringify(format.delimiter)} the right one?`
      : ''
  throw new ConfigurationError(`"${path}" does not have the columns that the project names.${hint}`, problems)
}

const namesShownMax = 40

function describeHeader(names: readonly string[]): string {
  const shown = names.slice(0, namesShownMax).map((name) => JSON.stringify(name.slice(0, 80)))
  return shown.join(', ') + (names.length > namesShownMax ? ', …' : '')
}
