import { crc32 } from 'node:zlib'
import { assert } from '@millwright/core'
import { encodeFrameHeader, type FrameKind, frameHeaderBytes } from './frame.ts'

/** Frames ready to be written with one call. The bytes hold until the staging is next written to. */
export interface StagedFrames {
  readonly frames: Buffer
  readonly recordCount: number
  readonly lastAppendTimeMs: number
}

interface StagedFrame {
  readonly endBytes: number
  readonly recordCount: number
  readonly appendTimeMs: number
}

interface OpenFrame {
  readonly startBytes: number
  readonly kind: FrameKind
  readonly baseOffset: number
  readonly appendTimeMs: number
  readonly extensionBytes: number
  recordCount: number
}

const firstBytes = 4096
/** What an idle staging keeps of its memory. */
const idleBytesMax = 4 * 1024 * 1024

/**
 * Encodes frames one behind another in one buffer. A frame is open while records are added to it, and sealed with its
 * extension. What is added is copied: the caller's memory is free at once.
 */
export class FrameStaging {
  #buffer = Buffer.allocUnsafeSlow(firstBytes)
  #length = 0
  #sealed: StagedFrame[] = []
  #open: OpenFrame | null = null

  /** Bytes staged, an open frame included. */
  get byteLength(): number {
    return this.#length
  }

  /** Body of the open frame so far, bytes; -1 when none is open. */
  get openBodyBytes(): number {
    return this.#open === null
      ? -1
      : this.#length - this.#open.startBytes - frameHeaderBytes - this.#open.extensionBytes
  }

  /** Opens a frame; the one before must be sealed. The extension has its final length from the start. */
  open(kind: FrameKind, baseOffset: number, appendTimeMs: number, extensionBytes: number): void {
    assert(this.#open === null, 'one frame is open at a time')
    this.#open = { startBytes: this.#length, kind, baseOffset, appendTimeMs, extensionBytes, recordCount: 0 }
    this.#length = this.reserve(frameHeaderBytes + extensionBytes) + frameHeaderBytes + extensionBytes
  }

  /** Adds bytes that hold `recordCount` records to the open frame. */
  add(bytes: Uint8Array, recordCount: number): void {
    const at = this.reserve(bytes.length)
    this.#buffer.set(bytes, at)
    this.advance(bytes.length, recordCount)
  }

  /** Makes room for `byteLength` bytes and returns where in `memory` they go; `advance` then counts them in. */
  reserve(byteLength: number): number {
    const needed = this.#length + byteLength
    if (needed > this.#buffer.length) {
      const next = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length))
      this.#buffer.copy(next, 0, 0, this.#length)
      this.#buffer = next
    }
    return this.#length
  }

  /** The memory frames are encoded in; holds until the next call that makes room. */
  get memory(): Buffer {
    return this.#buffer
  }

  advance(byteLength: number, recordCount: number): void {
    assert(this.#open !== null, 'records go into an open frame')
    this.#length += byteLength
    this.#open.recordCount += recordCount
  }

  /** Closes the open frame. */
  seal(extension: Uint8Array): void {
    const open = this.#open
    assert(
      open !== null && extension.length === open.extensionBytes,
      'a frame is sealed with the extension it was opened for',
    )
    const payloadAt = open.startBytes + frameHeaderBytes
    this.#buffer.set(extension, payloadAt)
    encodeFrameHeader(this.#buffer, open.startBytes, {
      kind: open.kind,
      syncedBefore: false,
      extensionBytes: open.extensionBytes,
      bodyBytes: this.#length - payloadAt - open.extensionBytes,
      baseOffset: open.baseOffset,
      appendTimeMs: open.appendTimeMs,
      recordCount: open.recordCount,
      payloadCrc: crc32(this.#buffer.subarray(payloadAt, this.#length)),
    })
    this.#sealed.push({
      endBytes: this.#length,
      recordCount: open.recordCount,
      appendTimeMs: open.appendTimeMs,
    })
    this.#open = null
  }

  /** Returns as many of the oldest sealed frames as fit `bytesMax`, at least one; `null` when there is none. */
  first(bytesMax: number): StagedFrames | null {
    let taken: StagedFrame | null = null
    let recordCount = 0
    for (const frame of this.#sealed) {
      if (taken !== null && frame.endBytes > bytesMax) break
      taken = frame
      recordCount += frame.recordCount
    }
    if (taken === null) return null
    return { frames: this.#buffer.subarray(0, taken.endBytes), recordCount, lastAppendTimeMs: taken.appendTimeMs }
  }

  /** Drops the oldest `byteLength` bytes, which must be whole frames that `first` returned. */
  drop(byteLength: number): void {
    const kept = this.#sealed.filter((frame) => frame.endBytes > byteLength)
    assert(kept.length < this.#sealed.length, 'only whole frames are dropped')
    this.#sealed = kept.map((frame) => ({ ...frame, endBytes: frame.endBytes - byteLength }))
    this.#buffer.copyWithin(0, byteLength, this.#length)
    this.#length -= byteLength
    if (this.#open !== null) this.#open = { ...this.#open, startBytes: this.#open.startBytes - byteLength }
    this.#release()
  }

  clear(): void {
    this.#sealed = []
    this.#open = null
    this.#length = 0
    this.#release()
  }

  /** A burst must not leave its memory behind for good. */
  #release(): void {
    if (this.#length === 0 && this.#buffer.length > idleBytesMax) this.#buffer = Buffer.allocUnsafeSlow(firstBytes)
  }
}
