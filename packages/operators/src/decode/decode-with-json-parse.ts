import { decodeUtf8, limits, utf8ByteLength } from '@millwright/core'
import { deviceIdProblem } from './device-id.ts'
import { jsonErrorIndex, nestsDeeper } from './json-text.ts'
import { describe, type Refused, refused } from './refused.ts'
import { readTimestamp } from './timestamp.ts'

/** What of a reading is read. */
export interface ReadingFields {
  /** Names of the declared channels, in the plan's order. */
  readonly channels: readonly string[]
  /** `arrival`: the reading's own timestamp is a field like any other that is not declared. */
  readonly timestamp: 'event' | 'arrival'
}

/** A reading that is accepted. */
export interface DecodedReading {
  readonly kind: 'reading'
  readonly deviceId: string
  /** Whole epoch milliseconds; NaN where timestamps are arrival times. */
  readonly timestampMs: number
  /** One per channel, in order; NaN = missing. At least one is there. */
  readonly values: readonly number[]
}

/** What one line is. */
export type DecodedLine = DecodedReading | { readonly kind: 'blank' } | Refused

const wantedLine = 'one JSON object'

/**
 * Decodes the line `bytes[start .. end)` (without its newline) by the book. Slow and plain: the oracle of the decode kernel, and the
 * path of every line that the kernel leaves undecided.
 *
 * The first of these that fails gives the reason: length, (blank?), UTF-8, nesting, JSON, an object, device id, timestamp,
 * channels in the plan's order, at least one channel. `docs/decisions/decoding.md` has each rule with its reason.
 */
export function decodeWithJsonParse(bytes: Uint8Array, start: number, end: number, fields: ReadingFields): DecodedLine {
  const line = parseObjectLine(bytes, start, end)
  return line.kind === 'object' ? decodeObject(line.object, fields) : line
}

/** A line's JSON object, before anything in it is looked at. */
export interface ObjectLine {
  readonly kind: 'object'
  readonly object: Readonly<Record<string, unknown>>
}

/** Parses the line `bytes[start .. end)` (without its newline) as one JSON object, nested no deeper than `jsonDepthMax`. */
export function parseObjectLine(
  bytes: Uint8Array,
  start: number,
  end: number,
): ObjectLine | { readonly kind: 'blank' } | Refused {
  if (end - start > limits.lineBytesMax)
    return refused('line-too-long', {
      field: 'line',
      // How much more is not said: what brought the line here may have cut it.
      found: `more than ${limits.lineBytesMax} bytes`,
      wanted: 'at most that',
    })
  const textStart = startsWithByteOrderMark(bytes, start, end) ? start + 3 : start
  if (isBlank(bytes, textStart, end)) return { kind: 'blank' }
  const text = decodeUtf8(bytes, textStart, end)
  if (text === null) return notUtf8(bytes, start, textStart, end)
  // One more than a value inside may have: the reading's own braces.
  if (nestsDeeper(text, limits.jsonDepthMax + 1))
    return refused('too-deep', {
      field: 'line',
      found: `values nested more than ${limits.jsonDepthMax} deep`,
      wanted: `at most ${limits.jsonDepthMax}`,
    })
  const errorIndex = jsonErrorIndex(text)
  if (errorIndex !== null) return notJson(text, errorIndex, textStart - start)
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refused('not-an-object', { field: 'line', found: describe(value), wanted: wantedLine })
  return { kind: 'object', object: value as Readonly<Record<string, unknown>> }
}

function decodeObject(object: Readonly<Record<string, unknown>>, fields: ReadingFields): DecodedReading | Refused {
  const deviceId = ownValue(object, 'deviceId')
  const idProblem = deviceIdProblem(deviceId)
  if (idProblem !== null) return idProblem
  const id = deviceId as string

  const timestampMs = fields.timestamp === 'event' ? readTimestamp(ownValue(object, 'timestamp'), id) : Number.NaN
  if (typeof timestampMs !== 'number') return timestampMs

  const values: number[] = []
  for (const channel of fields.channels) {
    const value = readChannel(ownValue(object, channel), channel, id)
    if (typeof value !== 'number') return value
    values.push(value)
  }
  if (values.every(Number.isNaN))
    return refused('no-channel', { field: 'line', found: 'none of the declared channels', wanted: anyOf(fields) }, id)
  return { kind: 'reading', deviceId: id, timestampMs, values }
}

/** Returns the channel's value, NaN when it is missing, or why it is none. */
function readChannel(value: unknown, channel: string, deviceId: string): number | Refused {
  if (value === undefined || value === null) return Number.NaN
  if (typeof value === 'number' && Number.isFinite(value)) return value
  const reason = typeof value === 'number' ? 'channel-not-finite' : 'channel-not-a-number'
  return refused(reason, { field: channel, found: describe(value), wanted: 'a finite number, or null' }, deviceId)
}

/** A key of the object itself: what every object inherits (`toString`, `constructor`) is not in the line. */
export function ownValue(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

function anyOf(fields: ReadingFields): string {
  const shown = fields.channels.slice(0, 8).join(', ')
  return `a number for at least one of ${shown}${fields.channels.length > 8 ? ', …' : ''}`
}

function notJson(text: string, index: number, markBytes: number): Refused {
  const place = `at byte ${markBytes + utf8ByteLength(text.slice(0, index))}`
  const character = text.codePointAt(index)
  const found =
    character === undefined
      ? `its end ${place}, in the middle of a value`
      : `${JSON.stringify(String.fromCodePoint(character))} ${place}, where JSON cannot go on`
  return refused('not-json', { field: 'line', found, wanted: wantedLine })
}

function notUtf8(bytes: Uint8Array, lineStart: number, textStart: number, end: number): Refused {
  let at = textStart
  let length = sequenceLength(bytes, at, end)
  while (length > 0) {
    at += length
    length = sequenceLength(bytes, at, end)
  }
  const byte = (bytes[at] as number).toString(16)
  return refused('not-utf8', {
    field: 'line',
    found: `byte 0x${byte} at byte ${at - lineStart}, which is not UTF-8`,
    wanted: 'UTF-8',
  })
}

/** Bytes of the UTF-8 sequence at `at`; 0 when it is not well-formed. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  if ((bytes[at] as number) < 0x80) return 1
  for (let length = 2; length <= 4 && at + length <= end; length++)
    if (decodeUtf8(bytes, at, at + length) !== null) return length
  return 0
}

/** Files of some editors begin with U+FEFF; RFC 8259 section 8.1 allows to ignore it, and files are joined, so any line may. */
function startsWithByteOrderMark(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf
}

function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  }
  return true
}
