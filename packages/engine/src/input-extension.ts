import { assert, limits } from '@millwright/core'

/**
 * Extensions of the frames of an input log (docs/formats/log.md): where a resumable source stands after the frame, and
 * which model update an activation carries.
 */

/** Where a resumable source stands, as one frame says. Positions are whole, 0..2^53 - 1. */
export interface FrameSource {
  readonly id: string
  /** After the last line of the frame. */
  readonly position: number
  /** Every line of the source before this position was acknowledged, in whatever partition, when the frame was made. */
  readonly acknowledged: number
}

const positionsBytes = 16

/** Bytes of the extension of a frame whose lines come from a resumable source. */
export function sourceExtensionBytes(id: string): number {
  const idBytes = Buffer.byteLength(id)
  assert(idBytes >= 1 && idBytes <= limits.sourceIdBytesMax, 'the id of a source has 1–200 UTF-8 bytes')
  return positionsBytes + idBytes
}

export function encodeSourceExtension(source: FrameSource): Buffer {
  const extension = Buffer.allocUnsafe(sourceExtensionBytes(source.id))
  extension.writeBigUInt64LE(BigInt(source.position), 0)
  extension.writeBigUInt64LE(BigInt(source.acknowledged), 8)
  extension.write(source.id, positionsBytes)
  return extension
}

/** `null` for an empty extension: lines of no resumable source. */
export function decodeSourceExtension(extension: Buffer): FrameSource | null {
  if (extension.length <= positionsBytes) return null
  return {
    position: Number(extension.readBigUInt64LE(0)),
    acknowledged: Number(extension.readBigUInt64LE(8)),
    id: extension.toString('utf8', positionsBytes),
  }
}

/** Bytes of the extension of an activation frame. */
export const activationExtensionBytes = 6

/** @param updateOffset Offset of the update in the log of model updates. */
export function encodeActivationExtension(updateOffset: number): Buffer {
  const extension = Buffer.allocUnsafe(activationExtensionBytes)
  extension.writeUIntLE(updateOffset, 0, 6)
  return extension
}

export function decodeActivationExtension(extension: Buffer): number {
  return extension.readUIntLE(0, 6)
}
