import { type FrameFault, fault } from './frame.ts'

/**
 * One output record inside the body of an `outputs` frame (docs/formats/log.md), and the high-water mark that each such
 * frame carries as its extension.
 */

/** Place of an output: the input record it came from, and which of that record's outputs on this topic it is. */
export interface OutputMark {
  readonly inputOffset: number
  readonly index: number
}

export interface OutputRecord extends OutputMark {
  /** The device, or `null` where none is known. */
  readonly key: string | null
  /** One JSON document, UTF-8, without a newline. A view of the frame. */
  readonly value: Buffer
}

/** Bytes of a record before its key and value. */
export const outputRecordHeadBytes = 16
export const outputMarkBytes = 10
const noKey = 0xffff

/** Writes a record at `at` and returns its length; the memory must hold three bytes for each character. */
export function encodeOutputRecord(
  into: Buffer,
  at: number,
  key: string | null,
  mark: OutputMark,
  value: string,
): number {
  const keyAt = at + outputRecordHeadBytes
  const keyBytes = key === null ? 0 : into.write(key, keyAt)
  const valueBytes = into.write(value, keyAt + keyBytes)
  into.writeUInt32LE(valueBytes, at)
  into.writeUInt16LE(key === null ? noKey : keyBytes, at + 4)
  into.writeUIntLE(mark.inputOffset, at + 6, 6)
  into.writeUInt32LE(mark.index, at + 12)
  return outputRecordHeadBytes + keyBytes + valueBytes
}

/** Calls `visit` for each record of a body; what is wrong where the body is not whole records. */
export function decodeOutputRecords(
  body: Buffer,
  recordCount: number,
  visit: (record: OutputRecord) => void,
): FrameFault | null {
  let at = 0
  for (let record = 0; record < recordCount; record++) {
    if (at + outputRecordHeadBytes > body.length) return fault('cut', `${recordCount} records`, String(record))
    const valueBytes = body.readUInt32LE(at)
    const keyLength = body.readUInt16LE(at + 4)
    const keyAt = at + outputRecordHeadBytes
    const valueAt = keyAt + (keyLength === noKey ? 0 : keyLength)
    if (valueAt + valueBytes > body.length) return fault('cut', `${recordCount} records`, String(record))
    visit({
      inputOffset: body.readUIntLE(at + 6, 6),
      index: body.readUInt32LE(at + 12),
      key: keyLength === noKey ? null : body.toString('utf8', keyAt, valueAt),
      value: body.subarray(valueAt, valueAt + valueBytes),
    })
    at = valueAt + valueBytes
  }
  return at === body.length ? null : fault('cut', `${at} bytes in ${recordCount} records`, String(body.length))
}

export function encodeOutputMark(mark: OutputMark): Buffer {
  const extension = Buffer.allocUnsafe(outputMarkBytes)
  extension.writeUIntLE(mark.inputOffset, 0, 6)
  extension.writeUInt32LE(mark.index, 6)
  return extension
}

export function decodeOutputMark(extension: Buffer): OutputMark {
  return { inputOffset: extension.readUIntLE(0, 6), index: extension.readUInt32LE(6) }
}

/** Whether `mark` stands at or before `limit`; nothing stands before `null`. */
export function isThrough(mark: OutputMark, limit: OutputMark | null): boolean {
  if (limit === null) return false
  return mark.inputOffset < limit.inputOffset || (mark.inputOffset === limit.inputOffset && mark.index <= limit.index)
}
