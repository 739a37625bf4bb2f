import { partitionOf } from '@millwright/core'
import type { NewRecord } from './record.ts'

const newline = 10

/**
 * Cuts the lines of one partition into records: the value is the line as it came, the key its device.
 *
 * A line of which no device can be read has no key; nor has one whose device belongs to another partition, which the door put
 * here because it is refused: the operators make a dead letter of it. So a key always says where its records are.
 *
 * @param lines Newline-separated, each line ended.
 * @param partitionCount Of the topic.
 */
export function lineRecords(lines: Uint8Array, partition: number, partitionCount: number): NewRecord[] {
  const records: NewRecord[] = []
  for (let start = 0; start < lines.length; ) {
    const found = lines.indexOf(newline, start)
    const end = found < 0 ? lines.length : found
    const value = lines.subarray(start, end)
    const deviceId = deviceOf(value)
    const isHere = deviceId !== null && partitionOf(deviceId, partitionCount) === partition
    records.push({ key: isHere ? Buffer.from(deviceId) : null, value })
    start = end + 1
  }
  return records
}

/** By `JSON.parse`, as the decoder of the operators reads it: of equal names the last counts. */
function deviceOf(line: Uint8Array): string | null {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString())
  } catch {
    // Not JSON: the operators say what it is instead.
    return null
  }
  if (typeof value !== 'object' || value === null || !('deviceId' in value)) return null
  const { deviceId } = value
  return typeof deviceId === 'string' && deviceId !== '' && deviceId.isWellFormed() ? deviceId : null
}
