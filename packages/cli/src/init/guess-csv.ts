import { basename, dirname, resolve } from 'node:path'
import { ConfigurationError, limits } from '@millwright/core'
import { jsonNumber, missingSpellings } from '@millwright/gateways/files'
import { type CsvSample, readCsvSample } from './csv-sample.ts'
import type { GuessedSource } from './guess-source.ts'
import { type GuessedTime, guessTime } from './guess-time.ts'
import { nameColumn } from './guess-unit.ts'

const timeName = /^(?:date_?time|time_?stamp|time|date|zeit|zeitstempel|datum|ts)\b|time|zeit/i
const idName =
  /^(?:device|machine|asset|unit|equipment|maschine|anlage|sensor|station|pump|motor|press|robot|turbine|engine)s?[ _-]?(?:id|no|nr|number|nummer|name)?$|(?:^|[ _-])id$|[a-z]ID$|[a-z]Id$/i

/**
 * Guesses which columns of a CSV file hold what.
 *
 * @throws {ConfigurationError} When the file has no header, no column of times, or no column of numbers.
 */
export async function guessCsvSource(path: string): Promise<GuessedSource> {
  const sample = await readCsvSample(path)
  const remarks: string[] = []
  const time = findTime(path, sample, remarks)
  const deviceId = findDeviceId(path, sample, time.column, remarks)
  const used = new Set([time.column, ...('column' in deviceId ? [deviceId.column] : [])])
  const names = new Set<string>()
  const channels: { name: string; unit: string | null; column: string }[] = []
  for (const [index, column] of sample.header.entries()) {
    if (used.has(column)) continue
    if (sample.header.indexOf(column) !== index || !isNumeric(sample, index))
      remarks.push(`The column "${column}" is left out: it does not hold numbers, or another has its name.`)
    else if (channels.length >= limits.channelsMax)
      remarks.push(`The column "${column}" is left out: a plant has at most ${limits.channelsMax} channels.`)
    else {
      const { channel, unit } = nameColumn(column, names)
      names.add(channel)
      channels.push({ name: channel, unit, column })
    }
  }
  if (channels.length === 0)
    throw new ConfigurationError(`"${path}" cannot serve as a sample.`, [
      { field: '--from', found: `the columns ${sample.header.join(', ')}`, wanted: 'at least one column of numbers' },
    ])
  return {
    kind: 'csv',
    csv: {
      delimiter: sample.delimiter,
      decimal: sample.decimal,
      deviceId,
      timestamp: { column: time.column, format: time.format, timeZone: 'UTC' },
      channels: Object.fromEntries(channels.map(({ name, column }) => [name, column])),
    },
    channels: channels.map(({ name, unit }) => ({ name, unit })),
    remarks,
  }
}

function cellsOf(sample: CsvSample, index: number): string[] {
  return sample.rows.map((row) => row[index] ?? '').filter((cell) => !missingSpellings.has(cell))
}

function findTime(path: string, sample: CsvSample, remarks: string[]): GuessedTime & { readonly column: string } {
  const candidates = sample.header
    .map((column, index) => {
      const cells = cellsOf(sample, index)
      return { column, guess: cells.length === 0 ? null : guessTime(cells) }
    })
    .flatMap(({ column, guess }) => (guess === null ? [] : [{ column, ...guess }]))
  const found = candidates.find(({ column }) => timeName.test(column)) ?? candidates[0]
  if (found === undefined)
    throw new ConfigurationError(`"${path}" cannot serve as a sample.`, [
      {
        field: '--from',
        found: `the columns ${sample.header.join(', ')}`,
        wanted: 'a column that holds date and time together, in a form that docs/formats/csv.md lists',
      },
    ])
  if (!found.zoned)
    remarks.push(
      `The times in "${found.column}" name no zone and are taken for UTC: csv.timestamp.timeZone says otherwise.`,
    )
  if (found.orElse !== null)
    remarks.push(`The times in "${found.column}" are read as ${found.format}; ${found.orElse} would fit them too.`)
  return found
}

function findDeviceId(
  path: string,
  sample: CsvSample,
  timeColumn: string,
  remarks: string[],
): { readonly column: string } | { readonly value: string } {
  const repeating = sample.header.filter((column, index) => {
    const cells = cellsOf(sample, index)
    const repeats = new Set(cells).size * 2 <= cells.length || sample.rows.length <= 10
    return column !== timeColumn && cells.length === sample.rows.length && repeats
  })
  const named = repeating.find((column) => idName.test(column))
  const textual = repeating.find((column) => !isNumeric(sample, sample.header.indexOf(column)))
  const column = named ?? textual
  if (column !== undefined) {
    if (named === undefined)
      remarks.push(`The column "${column}" is taken for the device id, since it holds text that repeats.`)
    return { column }
  }
  const value = deviceNameOf(path)
  remarks.push(`No column names a device: all readings are of one, "${value}", named after the file.`)
  return { value }
}

/** Names that say nothing of the machine; its folder may. */
const generalName = /^(?:readings?|data|telemetry|sensors?|values?|export|log|input|sample|messwerte|daten)$/i

function deviceNameOf(path: string): string {
  const stem = basename(path).replace(/(?:\.(?:csv|tsv|txt|gz))+$/i, '')
  const name = generalName.test(stem) ? basename(dirname(resolve(path))) : stem
  return name.replace(/[^\p{L}\p{N}_.-]+/gu, '-').slice(0, 64) || 'device-1'
}

/** At least 19 of 20 cells that hold something are numbers, and one is. */
function isNumeric(sample: CsvSample, index: number): boolean {
  const cells = cellsOf(sample, index)
  const numbers = cells.filter((cell) => jsonNumber(cell, sample.decimal) !== null).length
  return numbers > 0 && numbers * 20 >= cells.length * 19
}
