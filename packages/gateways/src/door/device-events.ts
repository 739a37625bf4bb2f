import { type DeadLetterReason, limits, partitionOf, utf8ByteLength } from '@millwright/core'
import type { MemoryPool } from '../memory-pool.ts'
import type { Admission, RefusedLine } from './admission.ts'
import { createPartitionWriter } from './partition-writer.ts'

const newline = 10
const carriageReturn = 13

/**
 * Sorts newline-separated device events into partitions. A line goes to the partition of its device wherever the id can
 * be read, also when something else about it is wrong: what an event needs is for the operators to say in the end.
 */
export function admitDeviceEvents(bytes: Uint8Array, partitionCount: number, memory: MemoryPool): Admission {
  const writer = createPartitionWriter(partitionCount, bytes.length, memory)
  const refused: RefusedLine[] = []
  let refusedCount = 0
  let acceptedCount = 0
  let start = 0
  for (let line = 1; start < bytes.length; line++) {
    const found = bytes.indexOf(newline, start)
    const lineEnd = found < 0 ? bytes.length : found
    const end = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    const event = readEvent(bytes.subarray(start, end))
    if (event.kind !== 'blank') {
      const partition = event.deviceId === null ? 0 : partitionOf(event.deviceId, partitionCount)
      writer.addRun(partition, bytes, start, Math.min(end, start + limits.lineBytesMax + 1), 1)
      if (event.kind === 'event') acceptedCount += 1
      else {
        refusedCount += 1
        const { reason, message } = event
        if (refused.length < limits.refusalsReportedMax) refused.push({ line, reason, message })
      }
    }
    start = lineEnd + 1
  }
  return { parts: writer.parts(), acceptedCount, refusedCount, refused, release: writer.release }
}

type EventLine =
  | { readonly kind: 'blank' }
  | { readonly kind: 'event'; readonly deviceId: string }
  | {
      readonly kind: 'refused'
      readonly reason: DeadLetterReason
      readonly message: string
      readonly deviceId: string | null
    }

function readEvent(bytes: Uint8Array): EventLine {
  if (bytes.length > limits.lineBytesMax)
    return refuse('line-too-long', `line: found more than ${limits.lineBytesMax} bytes, wanted at most that`)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refuse('not-utf8', 'line: found bytes that are not UTF-8, wanted UTF-8')
  }
  if (text.trim() === '') return { kind: 'blank' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('not-json', 'line: found text that is not JSON, wanted one JSON object')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('not-an-object', `line: found ${shown(value)}, wanted one JSON object`)
  return checkFields(value as Readonly<Record<string, unknown>>)
}

/** C0, DEL and C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/

function checkFields(event: Readonly<Record<string, unknown>>): EventLine {
  const { deviceId, timestamp, type } = event
  const wantedId = `wanted text of 1 to ${limits.deviceIdBytesMax} bytes without control characters`
  const refuseId = (reason: DeadLetterReason): EventLine =>
    refuse(reason, `deviceId: found ${shown(deviceId)}, ${wantedId}`)
  if (deviceId === undefined || deviceId === null) return refuseId('device-id-missing')
  if (typeof deviceId !== 'string') return refuseId('device-id-not-a-string')
  if (deviceId === '') return refuseId('device-id-empty')
  if (!deviceId.isWellFormed()) return refuseId('not-utf8')
  if (utf8ByteLength(deviceId) > limits.deviceIdBytesMax) return refuseId('device-id-too-long')
  if (controlCharacter.test(deviceId)) return refuseId('device-id-control-character')
  if (timestamp === undefined || timestamp === null)
    return refuse('timestamp-missing', 'timestamp: found nothing, wanted epoch milliseconds or ISO 8601', deviceId)
  if (typeof timestamp !== 'number' && typeof timestamp !== 'string')
    return refuse('timestamp-not-a-time', `timestamp: found ${shown(timestamp)}, wanted a time`, deviceId)
  if (typeof type !== 'string' || type === '')
    return refuse('event-type-missing', `type: found ${shown(type)}, wanted text such as "maintenance"`, deviceId)
  return { kind: 'event', deviceId }
}

function refuse(reason: DeadLetterReason, message: string, deviceId: string | null = null): EventLine {
  return { kind: 'refused', reason, message, deviceId }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const json = JSON.stringify(value)
  return json.length > 80 ? `${json.slice(0, 80)}…` : json
}
