import { crc32 } from 'node:zlib'
import { assert } from '@millwright/core'

/**
 * One frame: the unit of every file of the store (docs/formats/log.md). A header of 32 bytes, an extension of 0–255, a body.
 *
 * F1. A header is believed only when its own checksum holds; its lengths only when the header is believed.
 * F2. Extension and body are believed only when their checksum holds: no byte of a frame can change unseen.
 * F3. `syncedBefore` is set only when every byte of the segment before the frame was on stable storage. So a frame that
 *     cannot be read is damage, not a torn tail, when a believable frame with this mark stands behind it.
 */

/** Bytes of a frame's header. */
export const frameHeaderBytes = 32

/** Longest extension of a frame. */
export const frameExtensionBytesMax = 255

/** The two bytes every frame begins with: "MW". */
export const frameMagic = Buffer.from('MW')

/** Kinds of frames; the numbers are on disk and permanent. */
export const frameKinds = {
  /** First in each segment, and at a clean close: what a recovery needs to know of the segments before. */
  'log-state': 1,
  readings: 2,
  'device-events': 3,
  activation: 4,
  heartbeat: 5,
  outputs: 6,
  'model-update': 7,
  'device-states': 8,
  snapshot: 9,
} as const

export type FrameKind = keyof typeof frameKinds

const kindNames = new Map<number, FrameKind>(Object.entries(frameKinds).map(([name, n]) => [n, name as FrameKind]))
const syncedBeforeBit = 0x80

export interface FrameHeader {
  readonly kind: FrameKind
  /** See F3. */
  readonly syncedBefore: boolean
  readonly extensionBytes: number
  readonly bodyBytes: number
  /** Offset of the first record; 0..2^48 - 1. */
  readonly baseOffset: number
  /** Epoch milliseconds, whole, 0..2^48 - 1; never falls within a log. */
  readonly appendTimeMs: number
  readonly recordCount: number
  /** CRC-32 of extension and body. */
  readonly payloadCrc: number
}

/** Why bytes are not a frame, with what was wanted and what was there. */
export interface FrameFault {
  readonly fault: 'cut' | 'magic' | 'header-checksum' | 'kind' | 'payload-checksum' | 'offset' | 'append-time'
  readonly expected: string
  readonly found: string
}

/** Writes a header at `at`, its own checksum included. */
export function encodeFrameHeader(into: Buffer, at: number, header: FrameHeader): void {
  assert(header.extensionBytes <= frameExtensionBytesMax, 'a frame extension is at most 255 bytes')
  frameMagic.copy(into, at)
  into[at + 2] = frameKinds[header.kind] | (header.syncedBefore ? syncedBeforeBit : 0)
  into[at + 3] = header.extensionBytes
  into.writeUInt32LE(header.bodyBytes, at + 4)
  into.writeUIntLE(header.baseOffset, at + 8, 6)
  into.writeUIntLE(header.appendTimeMs, at + 14, 6)
  into.writeUInt32LE(header.recordCount, at + 20)
  into.writeUInt32LE(header.payloadCrc, at + 24)
  sealHeader(into, at)
}

/** Sets the mark of F3 in a header that is already encoded. */
export function markSyncedBefore(frame: Buffer, at: number): void {
  frame[at + 2] = (frame[at + 2] as number) | syncedBeforeBit
  sealHeader(frame, at)
}

function sealHeader(into: Buffer, at: number): void {
  into.writeUInt32LE(crc32(into.subarray(at, at + 28)), at + 28)
}

/** Reads a header at `at`; what is wrong with it where it cannot be believed (F1). */
export function decodeFrameHeader(from: Buffer, at: number): FrameHeader | FrameFault {
  if (at + frameHeaderBytes > from.length) return fault('cut', `${frameHeaderBytes} bytes`, `${from.length - at}`)
  if (from[at] !== frameMagic[0] || from[at + 1] !== frameMagic[1])
    return fault('magic', frameMagic.toString('hex'), from.toString('hex', at, at + 2))
  const found = from.readUInt32LE(at + 28)
  const expected = crc32(from.subarray(at, at + 28))
  if (found !== expected) return fault('header-checksum', hexadecimal(expected), hexadecimal(found))
  const kindByte = from[at + 2] as number
  const kind = kindNames.get(kindByte & ~syncedBeforeBit)
  if (kind === undefined) return fault('kind', 'a known kind of frame', String(kindByte & ~syncedBeforeBit))
  return {
    kind,
    syncedBefore: (kindByte & syncedBeforeBit) !== 0,
    extensionBytes: from[at + 3] as number,
    bodyBytes: from.readUInt32LE(at + 4),
    baseOffset: from.readUIntLE(at + 8, 6),
    appendTimeMs: from.readUIntLE(at + 14, 6),
    recordCount: from.readUInt32LE(at + 20),
    payloadCrc: from.readUInt32LE(at + 24),
  }
}

/** Checks extension and body against the header (F2); `null` when they are what was written. */
export function payloadFault(header: FrameHeader, payload: Uint8Array): FrameFault | null {
  const wanted = header.extensionBytes + header.bodyBytes
  if (payload.length < wanted) return fault('cut', `${wanted} bytes`, String(payload.length))
  const found = crc32(payload)
  return found === header.payloadCrc
    ? null
    : fault('payload-checksum', hexadecimal(header.payloadCrc), hexadecimal(found))
}

/** Whole length of a frame on disk. */
export function frameBytes(header: FrameHeader): number {
  return frameHeaderBytes + header.extensionBytes + header.bodyBytes
}

/** Tells the two answers of {@link decodeFrameHeader} apart. */
export function isFrameFault(answer: FrameHeader | FrameFault): answer is FrameFault {
  return 'fault' in answer
}

/** Encodes one whole frame on its own: for what is written once, not for the hot path. */
export function encodeFrame(
  header: Omit<FrameHeader, 'payloadCrc' | 'extensionBytes' | 'bodyBytes'>,
  extension: Uint8Array,
  body: Uint8Array,
): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + extension.length + body.length)
  frame.set(extension, frameHeaderBytes)
  frame.set(body, frameHeaderBytes + extension.length)
  const payloadCrc = crc32(frame.subarray(frameHeaderBytes))
  encodeFrameHeader(frame, 0, { ...header, extensionBytes: extension.length, bodyBytes: body.length, payloadCrc })
  return frame
}

/** A {@link FrameFault} in one line. */
export function fault(kind: FrameFault['fault'], expected: string, found: string): FrameFault {
  return { fault: kind, expected, found }
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}
