import { ConfigurationError } from '@millwright/core'
import { createTimeZone, type TimeZone } from './time-zone.ts'

/**
 * Reads one cell as a time. Returns epoch milliseconds (fractions of a millisecond are left off), or NaN when the text
 * is not a time of the format, or is one that clocks of the zone never show.
 */
export type TimeReader = (text: string) => number

/**
 * Makes the reader for `iso`, `epoch-ms`, `epoch-s` or a pattern; docs/formats/csv.md has the grammar.
 *
 * @param format.timeZone IANA name; for times written without a zone.
 * @throws {ConfigurationError} When the format or the zone is none.
 */
export function createTimeReader({ format, timeZone }: { format: string; timeZone: string }): TimeReader {
  if (format === 'epoch-ms') return readEpochMs
  if (format === 'epoch-s') return readEpochSeconds
  const zone = openTimeZone(timeZone)
  return format === 'iso' ? isoReader(zone) : patternReader(format, zone)
}

function openTimeZone(name: string): TimeZone {
  try {
    return createTimeZone(name)
  } catch (error) {
    const wanted = "the name of a time zone that this machine knows, such as 'Europe/Berlin' or 'UTC'"
    throw new ConfigurationError(
      'Times cannot be read.',
      [{ field: 'csv.timestamp.timeZone', found: JSON.stringify(name), wanted }],
      error,
    )
  }
}

function readEpochMs(text: string): number {
  return /^-?\d{1,16}(?:\.\d*)?$/.test(text) ? Math.floor(Number(text)) : Number.NaN
}

/** By its digits: 1766000000.123 times 1000 as a double may fall just short of the millisecond that is written. */
function readEpochSeconds(text: string): number {
  const match = /^(\d{1,13})(?:\.(\d*))?$/.exec(text)
  return match === null ? Number.NaN : Number(match[1]) * 1000 + milliseconds(match[2])
}

/** The first three digits of a fraction of a second. */
function milliseconds(fraction: string | undefined): number {
  return fraction === undefined || fraction === '' ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'))
}

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?)?$/

function isoReader(zone: TimeZone): TimeReader {
  return (text) => {
    const match = isoPattern.exec(text)
    if (match === null) return Number.NaN
    const wallMs = wallClockMs(
      Number(match[1]),
      Number(match[2]),
      Number(match[3]),
      Number(match[4] ?? 0),
      Number(match[5] ?? 0),
      Number(match[6] ?? 0),
      milliseconds(match[7]),
    )
    const offset = match[8]
    return offset === undefined ? zone.epochMs(wallMs) : wallMs - offsetMs(offset)
  }
}

/** `Z`, `+01`, `+0100` or `+01:00` in milliseconds; NaN beyond a day. */
function offsetMs(text: string): number {
  if (text === 'Z' || text === 'z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', '') || 0)
  if (hours > 23 || minutes > 59) return Number.NaN
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** Midnight of a date and the time of day, as if it were UTC; NaN when there is no such date or time. */
function wallClockMs(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millisecond: number,
): number {
  // Date.UTC takes the years 0 to 99 for 1900 to 1999.
  if (year < 100 || month < 1 || month > 12 || day < 1) return Number.NaN
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return Number.NaN
  return Date.UTC(year, month - 1, day, hour, minute, second, millisecond)
}

type Field = 'year' | 'shortYear' | 'month' | 'day' | 'hour' | 'halfHour' | 'minute' | 'second' | 'fraction' | 'half'

/** What each run of one letter in a pattern stands for. */
const tokens: readonly { readonly letters: RegExp; readonly field: Field; readonly digits: string }[] = [
  { letters: /^yyyy/, field: 'year', digits: '(\\d{4})' },
  { letters: /^yy/, field: 'shortYear', digits: '(\\d{2})' },
  { letters: /^MM/, field: 'month', digits: '(\\d{2})' },
  { letters: /^M/, field: 'month', digits: '(\\d{1,2})' },
  { letters: /^dd/, field: 'day', digits: '(\\d{2})' },
  { letters: /^d/, field: 'day', digits: '(\\d{1,2})' },
  { letters: /^HH/, field: 'hour', digits: '(\\d{2})' },
  { letters: /^H/, field: 'hour', digits: '(\\d{1,2})' },
  { letters: /^hh/, field: 'halfHour', digits: '(\\d{2})' },
  { letters: /^h/, field: 'halfHour', digits: '(\\d{1,2})' },
  { letters: /^mm/, field: 'minute', digits: '(\\d{2})' },
  { letters: /^ss/, field: 'second', digits: '(\\d{2})' },
  { letters: /^S{1,9}/, field: 'fraction', digits: '' },
  { letters: /^a/, field: 'half', digits: '([AaPp][Mm])' },
]

function patternReader(pattern: string, zone: TimeZone): TimeReader {
  const { expression, fields } = compilePattern(pattern)
  const place = (field: Field): number => fields.indexOf(field) + 1
  const [year, shortYear, month, day] = [place('year'), place('shortYear'), place('month'), place('day')]
  const [hour, halfHour, half] = [place('hour'), place('halfHour'), place('half')]
  const [minute, second, fraction] = [place('minute'), place('second'), place('fraction')]
  return (text) => {
    const match = expression.exec(text)
    if (match === null) return Number.NaN
    const number = (index: number): number => (index === 0 ? 0 : Number(match[index] ?? 0))
    const hours = halfHour === 0 ? number(hour) : fullHour(number(halfHour), match[half] ?? '')
    const years = year === 0 ? 2000 + number(shortYear) : number(year)
    const ms = fraction === 0 ? 0 : milliseconds(match[fraction])
    return zone.epochMs(wallClockMs(years, number(month), number(day), hours, number(minute), number(second), ms))
  }
}

/** 12 am is midnight, 12 pm is noon; NaN for an hour that no such clock shows. */
function fullHour(hour: number, half: string): number {
  if (hour < 1 || hour > 12) return Number.NaN
  return (hour % 12) + (half.startsWith('p') || half.startsWith('P') ? 12 : 0)
}

function compilePattern(pattern: string): { expression: RegExp; fields: Field[] } {
  const fields: Field[] = []
  let source = ''
  let depth = 0
  for (let rest = pattern; rest !== ''; ) {
    const literal = /^'([^']*)'/.exec(rest)
    const token = tokens.find(({ letters }) => letters.test(rest))
    if (literal !== null) {
      source += escapeExpression(literal[1] ?? '')
      rest = rest.slice(literal[0].length)
    } else if (token !== undefined) {
      const letters = token.letters.exec(rest)?.[0] ?? ''
      if (fields.includes(token.field)) throw wrongPattern(pattern, `"${letters}" once`)
      fields.push(token.field)
      source += token.field === 'fraction' ? `(\\d{${letters.length}})` : token.digits
      rest = rest.slice(letters.length)
    } else {
      const character = rest.charAt(0)
      if (/[A-Za-z']/.test(character)) throw wrongPattern(pattern, `no letter "${character}" outside of quotes`)
      depth += character === '[' ? 1 : character === ']' ? -1 : 0
      if (depth < 0) throw wrongPattern(pattern, 'a "[" before each "]"')
      source += character === '[' ? '(?:' : character === ']' ? ')?' : escapeExpression(character)
      rest = rest.slice(1)
    }
  }
  if (depth !== 0) throw wrongPattern(pattern, 'a "]" for each "["')
  const has = (...any: Field[]): boolean => any.some((field) => fields.includes(field))
  if (!has('year', 'shortYear') || !has('month') || !has('day')) throw wrongPattern(pattern, 'year, month and day')
  if (has('halfHour') !== has('half')) throw wrongPattern(pattern, '"a" (am or pm) exactly where the hour is "h"')
  return { expression: new RegExp(`^${source}$`), fields }
}

function escapeExpression(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

function wrongPattern(pattern: string, wanted: string): ConfigurationError {
  return new ConfigurationError('Times cannot be read.', [
    {
      field: 'csv.timestamp.format',
      found: JSON.stringify(pattern),
      wanted: `iso, epoch-ms, epoch-s or a pattern with ${wanted}`,
    },
  ])
}
