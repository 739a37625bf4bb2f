import { assert } from '@millwright/core'
import { frameContinued, frameHeadBytes, frameMore } from '../bridge.ts'

/** A frame that waits for room. */
interface WaitingFrame {
  readonly kind: number
  readonly payload: Uint8Array
  /** How much of the payload was written in parts before. */
  from: number
}

/**
 * Writes frames into the result buffer, and keeps what does not fit for the next calls.
 *
 * F1. Frames leave in the order they were written in; one that is larger than the room goes in parts, marked `frameContinued`.
 * F2. Where frames wait, the last one in the buffer is `frameMore`.
 */
export class FrameWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #end: number
  #length = 0
  #waiting: WaitingFrame[] = []

  /** @param byteLength How much of the buffer is for frames: all of it by default. */
  constructor(buffer: ArrayBuffer, byteLength = buffer.byteLength) {
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
    // Room for the last frame is kept.
    this.#end = byteLength - frameHeadBytes
    assert(this.#end > 2 * frameHeadBytes, 'a result buffer has room for frames')
  }

  /** Begins the answer to a call. */
  begin(): void {
    assert(this.#waiting.length === 0, 'the host takes all frames before it calls again')
    this.#length = 0
  }

  /** Drops everything: what was being answered failed. */
  clear(): void {
    this.#waiting = []
    this.#length = 0
  }

  frame(kind: number, payload: Uint8Array): void {
    if (this.#waiting.length === 0 && this.#length + frameHeadBytes + payload.length <= this.#end) {
      this.#head(kind, payload.length)
      this.#bytes.set(payload, this.#length)
      this.#length += payload.length
    } else this.#waiting.push({ kind, payload: payload.slice(), from: 0 })
  }

  /** Ends the answer; returns its length in bytes. */
  finish(): number {
    let written = 0
    for (const frame of this.#waiting) {
      if (!this.#fill(frame)) break
      written += 1
    }
    this.#waiting.splice(0, written)
    if (this.#waiting.length > 0) this.#head(frameMore, 0)
    return this.#length
  }

  /** Begins the next part of an answer. */
  more(): void {
    this.#length = 0
  }

  /** Writes a frame as far as it goes; returns whether it is written whole. */
  #fill(frame: WaitingFrame): boolean {
    const room = this.#end - this.#length - frameHeadBytes
    const left = frame.payload.length - frame.from
    if (room < Math.min(left, 1)) return false
    const count = Math.min(room, left)
    const whole = count === left
    this.#head(whole ? frame.kind : frame.kind | frameContinued, count)
    this.#bytes.set(frame.payload.subarray(frame.from, frame.from + count), this.#length)
    this.#length += count
    frame.from += count
    return whole
  }

  #head(kind: number, byteLength: number): void {
    this.#view.setUint32(this.#length, kind, true)
    this.#view.setUint32(this.#length + 4, byteLength, true)
    this.#length += frameHeadBytes
  }
}
