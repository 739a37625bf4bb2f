import { ownValue, parseObjectLine } from './decode/decode-with-json-parse.ts'
import { deviceIdProblem } from './decode/device-id.ts'
import { describe, type Refused, refused } from './decode/refused.ts'
import { readTimestamp } from './decode/timestamp.ts'

/** A device event that is accepted. */
export interface DecodedDeviceEvent {
  readonly kind: 'event'
  readonly deviceId: string
  /** Whole epoch milliseconds. */
  readonly timestampMs: number
  readonly type: string
  /** Hash of `detail`; 0 where there is none. */
  readonly digest: number
}

/** What one line of device events is. */
export type DeviceEventLine = DecodedDeviceEvent | { readonly kind: 'blank' } | Refused

/**
 * Decodes one line of device events, without its newline, by the rules of readings: first the line, then device id, timestamp
 * and type. The first that fails gives the reason. `detail` may be anything; other fields are ignored.
 */
export function decodeDeviceEvent(bytes: Uint8Array, start: number, end: number): DeviceEventLine {
  const line = parseObjectLine(bytes, start, end)
  if (line.kind !== 'object') return line
  const { object } = line
  const id = ownValue(object, 'deviceId')
  const idProblem = deviceIdProblem(id)
  if (idProblem !== null) return idProblem
  const deviceId = id as string
  const timestampMs = readTimestamp(ownValue(object, 'timestamp'), deviceId)
  if (typeof timestampMs !== 'number') return timestampMs
  const type = ownValue(object, 'type')
  if (typeof type !== 'string' || type === '') {
    const found = type === '' ? 'empty text' : describe(type)
    return refused('event-type-missing', { field: 'type', found, wanted: 'text such as "maintenance"' }, deviceId)
  }
  const detail = ownValue(object, 'detail')
  const digest = detail === undefined || detail === null ? 0 : hashText(JSON.stringify(detail))
  return { kind: 'event', deviceId, timestampMs, type, digest }
}

/** FNV-1a of 32 bits over UTF-16 code units. Source: Fowler, Noll and Vo, IETF draft-eastlake-fnv. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
