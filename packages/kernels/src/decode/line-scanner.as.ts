/**
 * Reads one line as any flat or nested JSON object and notes what stood where, so that a template can be made from it.
 * Everything that the rules of a reading refuse, or that is not plainly within them, is left undecided.
 */
import {
  byteAt,
  closeBrace,
  colon,
  comma,
  newline,
  openBrace,
  quote,
  skipSpace,
  wordNull,
} from './bytes.as'
import { readDeviceId } from './device-id.as'
import {
  channelColumns,
  channelColumnStride,
  fieldDeviceId,
  fieldFirstChannel,
  fieldNames,
  fieldTimestamp,
  markBytes,
  marks,
  marksMax,
} from './layout.as'
import { numberValue, parseNumber } from './number.as'
import { endOfPlainString } from './text.as'
import { parseTimestamp } from './timestamp.as'
import { skipValue } from './value.as'

/** Kinds of marks and template tokens beyond the fields' own numbers: a value to pass over, the end of the line. */
export const kindSkip: u32 = 0xfffe
export const kindEnd: u32 = 0xffff

/** Values noted in `marks`; more than `marksMax` when they did not all fit. */
export let markCount: u32 = 0

let channelCount: u32 = 0
let timestampWanted: bool = true

export function setFields(channels: u32, timestamp: bool): void {
  channelCount = channels
  timestampWanted = timestamp
}

/** Field expected next: keys tend to come in one order. */
let expectedField: u32 = 0

/** Fields met in this line; channels 0–61 share the first word with the id and the timestamp. */
let seenLow: u64 = 0
let seenMiddle: u64 = 0
let seenHigh: u64 = 0

/**
 * Returns the address after the newline when the line is a reading that is accepted; 0 when undecided. The channels are then in their
 * columns, the id and the timestamp where `readDeviceId` and `parseTimestamp` leave them.
 */
export function scanLine(line: usize, row: usize): usize {
  markCount = 0
  seenLow = 0
  seenMiddle = 0
  seenHigh = 0
  let presentCount: u32 = 0
  let at = skipSpace(line)
  if (byteAt(at) != openBrace) return 0
  at = skipSpace(at + 1)
  let inObject = byteAt(at) != closeBrace
  while (inObject) {
    if (byteAt(at) != quote) return 0
    const key = at + 1
    const keyEnd = endOfPlainString(key)
    if (keyEnd == 0) return 0
    at = skipSpace(keyEnd + 1)
    if (byteAt(at) != colon) return 0
    at = skipSpace(at + 1)

    const field = fieldOf(key, <u32>(keyEnd - key))
    // The last of equal keys counts, so what the first one held must not: rare enough to leave.
    if (field != kindSkip && !firstTime(field)) return 0
    const value = at
    if (field == kindSkip) {
      at = skipValue(value)
    } else if (field == fieldDeviceId) {
      at = byteAt(value) == quote ? readDeviceId(value + 1) : 0
      if (at == 0) return 0
      // The quotes belong to the literals of a template, which is then faster.
      mark(field, value + 1, at)
      at++
    } else if (field == fieldTimestamp) {
      at = parseTimestamp(value)
    } else if (load<u32>(value) == wordNull) {
      at = value + 4
      storeChannel(field - fieldFirstChannel, row, NaN)
    } else {
      at = parseNumber(value)
      storeChannel(field - fieldFirstChannel, row, numberValue)
      presentCount++
    }
    if (at == 0) return 0
    if (field != fieldDeviceId) mark(field, value, at)

    at = skipSpace(at)
    if (byteAt(at) == comma) at = skipSpace(at + 1)
    else if (byteAt(at) == closeBrace) inObject = false
    else return 0
  }
  at = skipSpace(at + 1)
  if (byteAt(at) != newline || presentCount == 0) return 0
  if (!wasSeen(fieldDeviceId) || (timestampWanted && !wasSeen(fieldTimestamp))) return 0
  for (let channel: u32 = 0; channel < channelCount; channel++)
    if (!wasSeen(fieldFirstChannel + channel)) storeChannel(channel, row, NaN)
  return at + 1
}

/** Whether the line has nothing but white space. */
export function isBlank(line: usize): bool {
  return byteAt(skipSpace(line)) == newline
}

/** Makes every channel of the row missing. */
export function clearChannels(row: usize): void {
  for (let channel: u32 = 0; channel < channelCount; channel++) storeChannel(channel, row, NaN)
}

/** Whether the line scanned last held the field. */
export function wasSeen(field: u32): bool {
  const word = field < 64 ? seenLow : field < 128 ? seenMiddle : seenHigh
  return ((word >> (field & 63)) & 1) != 0
}

/** Notes that the field was met; false when it was before. */
function firstTime(field: u32): bool {
  if (wasSeen(field)) return false
  const bit = (<u64>1) << (field & 63)
  if (field < 64) seenLow |= bit
  else if (field < 128) seenMiddle |= bit
  else seenHigh |= bit
  return true
}

/** Returns the number of the field with this name, or `kindSkip`. */
function fieldOf(name: usize, length: u32): u32 {
  const fieldCount = fieldFirstChannel + channelCount
  let field = expectedField
  for (let tries: u32 = 0; tries < fieldCount; tries++) {
    if (field >= fieldCount) field = 0
    const entry = fieldNames + (<usize>field << 3)
    if (load<u32>(entry, 4) == length && memory.compare(load<u32>(entry), name, length) == 0) {
      expectedField = field + 1
      return field
    }
    field++
  }
  return kindSkip
}

// @ts-ignore: decorator
@inline
function storeChannel(channel: u32, row: usize, value: f64): void {
  store<f64>(channelColumns + <usize>channel * channelColumnStride + (row << 3), value)
}

function mark(kind: u32, start: usize, end: usize): void {
  if (markCount < marksMax) {
    const entry = marks + <usize>markCount * markBytes
    store<u32>(entry, kind)
    store<u32>(entry, <u32>start, 4)
    store<u32>(entry, <u32>end, 8)
  }
  markCount++
}
