import { parseIsoTime } from './iso-time.ts'
import { describe, type Refused, refused } from './refused.ts'

/** Timestamps in [1970-01-01, 2201-01-01) UTC are in range: epoch milliseconds. */
export const timestampMsBefore = 7_289_654_400_000

/**
 * A number in [secondsFrom, secondsBefore) looks like seconds: so read it is in 2000 … 2200; read as milliseconds it would be in the
 * first three months of 1970, where only clocks that were never set are.
 */
const secondsFrom = 946_684_800
export const secondsBefore = timestampMsBefore / 1000

const field = 'timestamp'
const wanted = 'epoch milliseconds, or ISO 8601 with a zone such as "2025-12-17T19:33:20Z"'
const wantedRange = 'a time from 1970 to 2200 in epoch milliseconds or ISO 8601'

/**
 * Returns a reading's timestamp as whole epoch milliseconds, a fraction rounded down, or why it is none.
 *
 * @param value As JSON has it; `undefined` where there is none.
 */
export function readTimestamp(value: unknown, deviceId: string): number | Refused {
  if (value === undefined || value === null)
    return refused('timestamp-missing', { field, found: describe(value), wanted }, deviceId)
  if (typeof value === 'number') return fromNumber(value, deviceId)
  if (typeof value === 'string') return fromText(value, deviceId)
  return refused('timestamp-not-a-time', { field, found: describe(value), wanted }, deviceId)
}

function fromNumber(value: number, deviceId: string): number | Refused {
  if (value >= secondsFrom && value < secondsBefore) {
    const found = `${value}, which looks like seconds`
    return refused('timestamp-looks-like-seconds', { field, found, wanted: 'epoch milliseconds' }, deviceId)
  }
  return inRange(value, `${describe(value)}${finerUnit(value)}`, deviceId)
}

function fromText(value: string, deviceId: string): number | Refused {
  const time = parseIsoTime(value)
  if (time === 'no-zone') {
    const found = `${describe(value)}, which names no zone`
    return refused('timestamp-not-a-time', { field, found, wanted: 'a zone after it: Z, or as in +01:00' }, deviceId)
  }
  if (time === 'not-iso') return refused('timestamp-not-a-time', { field, found: describe(value), wanted }, deviceId)
  return inRange(time, describe(value), deviceId)
}

function inRange(value: number, found: string, deviceId: string): number | Refused {
  // Adding 0 turns -0, which JSON can write, into 0.
  const ms = Math.floor(value) + 0
  if (ms >= 0 && ms < timestampMsBefore) return ms
  return refused('timestamp-out-of-range', { field, found, wanted: wantedRange }, deviceId)
}

/** What a number too large for milliseconds looks like. */
function finerUnit(value: number): string {
  const since2000 = (perMs: number): boolean =>
    value >= secondsFrom * 1000 * perMs && value < timestampMsBefore * perMs && value >= timestampMsBefore
  if (since2000(1000)) return ', which looks like microseconds'
  return since2000(1_000_000) ? ', which looks like nanoseconds' : ''
}
