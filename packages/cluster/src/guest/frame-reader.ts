import { assert } from '@millwright/core'
import { frameContinued, frameHeadBytes } from '../bridge.ts'

/** Takes frames out of a buffer, and joins those that came in parts over several calls. */
export class FrameReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #parts: Uint8Array[] = []

  constructor(buffer: ArrayBuffer) {
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  /** Calls `take` for each whole frame in the first `byteLength` bytes; the payload is a view that holds during the call. */
  read(byteLength: number, take: (kind: number, payload: Uint8Array) => void): void {
    let at = 0
    while (at < byteLength) {
      const head = this.#view.getUint32(at, true)
      const length = this.#view.getUint32(at + 4, true)
      at += frameHeadBytes
      assert(at + length <= byteLength, 'a frame ends within what the host wrote')
      const payload = this.#bytes.subarray(at, at + length)
      at += length
      if ((head & frameContinued) !== 0) this.#parts.push(payload.slice())
      else take(head, this.#join(payload))
    }
  }

  #join(last: Uint8Array): Uint8Array {
    if (this.#parts.length === 0) return last
    const parts = [...this.#parts, last]
    this.#parts = []
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}
