/**
 * Timestamps: a number of epoch milliseconds, or ISO 8601 with a zone (grammar: `docs/decisions/decoding.md`). 0 stands for
 * "undecided": whatever is not plainly a time in range, the plain path accepts or refuses with its reason.
 *
 * Source of the calendar: H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
 */
import { byteAt, colon, comma, digit0, dot, isDigit, letterT, lowerCase, minus, plus, quote } from './bytes.as'
import { numberValue, parseNumber } from './number.as'

/** What the last successful `parseTimestamp` read: whole epoch milliseconds; NaN as long as there was none. */
export let timestampValue: f64 = NaN

let acceptedFromMs: f64 = 0
let acceptedBeforeMs: f64 = 0

/** Times in [fromMs, beforeMs) are accepted here; all others are left undecided. */
export function setAcceptedTimes(fromMs: f64, beforeMs: f64): void {
  acceptedFromMs = fromMs
  acceptedBeforeMs = beforeMs
}

const letterZ: u32 = 0x7a
const space: u32 = 0x20

const msPerMinute: i64 = 60000
const msPerDay: i64 = 86400000

/** Returns the end of the value that starts at `start` and sets `timestampValue`; 0 when undecided. */
// @ts-ignore: decorator
@inline
export function parseTimestamp(start: usize): usize {
  let end: usize = 0
  if (byteAt(start) == quote) {
    end = parseIsoTimestamp(start + 1)
  } else {
    end = parseNumber(start)
    timestampValue = floor(numberValue)
  }
  return timestampValue >= acceptedFromMs && timestampValue < acceptedBeforeMs ? end : 0
}

/** As `parseTimestamp`, for what follows an opening quote; takes the closing quote too. */
function parseIsoTimestamp(start: usize): usize {
  // "2015-01-05T00:00": digits at 0–3, 5–6, 8–9, 11–12 and 14–15.
  const block = v128.load(start)
  const digits = i8x16.sub(block, i8x16.splat(<i8>digit0))
  if ((<u32>i8x16.bitmask(i8x16.lt_u(digits, i8x16.splat(10))) & 0xdb6f) != 0xdb6f) return 0
  if (byteAt(start + 4) != minus || byteAt(start + 7) != minus || byteAt(start + 13) != colon) return 0
  const separator = byteAt(start + 10)
  if (lowerCase(separator) != letterT && separator != space) return 0

  const pairs = i8x16.swizzle(digits, i8x16(0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, -1, -1, -1, -1))
  const numbers = i16x8.shr_u(i16x8.mul(pairs, i16x8.splat(2561)), 8)
  const year = <i32>i16x8.extract_lane_u(numbers, 0) * 100 + <i32>i16x8.extract_lane_u(numbers, 1)
  const month = <i32>i16x8.extract_lane_u(numbers, 2)
  const day = <i32>i16x8.extract_lane_u(numbers, 3)
  const hour = <i32>i16x8.extract_lane_u(numbers, 4)
  const minute = <i32>i16x8.extract_lane_u(numbers, 5)
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59) return 0

  let at = start + 16
  let ms: i64 = 0
  if (byteAt(at) == colon) {
    const second = twoDigits(at + 1)
    if (second > 59) return 0
    ms = <i64>second * 1000
    at += 3
    if (byteAt(at) == dot || byteAt(at) == comma) {
      const fraction = ++at
      // Rounded down to the millisecond: digits after the third say nothing.
      let weight = 100
      while (isDigit(byteAt(at))) {
        ms += <i64>(weight * <i32>(byteAt(at) - digit0))
        weight /= 10
        at++
      }
      if (at == fraction) return 0
    }
  }
  ms += (<i64>hour * 60 + minute) * msPerMinute + <i64>daysFromCivil(year, month, day) * msPerDay

  const zone = byteAt(at)
  if (lowerCase(zone) == letterZ) {
    at++
  } else if (zone == plus || zone == minus) {
    const offsetHour = twoDigits(at + 1)
    if (offsetHour > 23) return 0
    at += 3
    let offsetMinute: u32 = 0
    if (byteAt(at) != quote) {
      if (byteAt(at) == colon) at++
      offsetMinute = twoDigits(at)
      if (offsetMinute > 59) return 0
      at += 2
    }
    const offsetMs = <i64>(offsetHour * 60 + offsetMinute) * msPerMinute
    ms += zone == plus ? -offsetMs : offsetMs
  } else {
    return 0
  }
  if (byteAt(at) != quote) return 0
  timestampValue = <f64>ms
  return at + 1
}

/** Returns the number that two digits write, or more than 99 where they are not two digits. */
function twoDigits(at: usize): u32 {
  const tens = byteAt(at) - digit0
  const ones = byteAt(at + 1) - digit0
  return tens > 9 || ones > 9 ? 100 : tens * 10 + ones
}

function daysInMonth(year: i32, month: i32): i32 {
  if (month == 2) return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
  return 30 + ((month + (month >> 3)) & 1)
}

/** Days from 1970-01-01 in the Gregorian calendar; `year` is 0 … 9999. */
function daysFromCivil(year: i32, month: i32, day: i32): i32 {
  // Years that begin in March put the leap day last; one is added so that January of year 0 is not negative.
  const marchYear = year + 400 - <i32>(month <= 2)
  const era = marchYear / 400
  const yearOfEra = marchYear % 400
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return (era - 1) * 146097 + dayOfEra - 719468
}
