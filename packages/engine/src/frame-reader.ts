import { type DiskFile, limits } from '@millwright/core'
import {
  decodeFrameHeader,
  type FrameFault,
  type FrameHeader,
  fault,
  frameBytes,
  frameHeaderBytes,
  isFrameFault,
  payloadFault,
} from './frame.ts'

/** A frame as it stands in a file. The views hold until the reader is asked for the next one. */
export interface Frame {
  readonly header: FrameHeader
  readonly extension: Buffer
  readonly body: Buffer
  /** Where it begins and ends in its file, bytes. */
  readonly startBytes: number
  readonly endBytes: number
}

/** What is read at once, where there is as much. */
const bufferBytes = limits.frameBytesMax + 64 * 1024

/** Reads the frames of one file in order, each checked before it is given out. */
export class FrameReader {
  readonly #file: DiskFile
  #buffer = Buffer.alloc(0)
  /** `#buffer[0 .. #filled)` are the bytes of the file from `#bufferStart` on. */
  #bufferStart: number
  #filled = 0
  #position: number

  constructor(file: DiskFile, positionBytes = 0) {
    this.#file = file
    this.#position = positionBytes
    this.#bufferStart = positionBytes
  }

  /** Where the next frame begins, bytes. */
  get positionBytes(): number {
    return this.#position
  }

  /**
   * Returns the next frame before `limitBytes`; `null` when the limit is reached; what is wrong where there is no
   * whole frame. After a fault the reader stays where it is and reads the file anew when asked again.
   */
  next(limitBytes: number): Frame | FrameFault | null {
    if (this.#position >= limitBytes) return null
    const answer = this.#read(limitBytes)
    if ('fault' in answer) this.#forget()
    else this.#position = answer.endBytes
    return answer
  }

  #read(limitBytes: number): Frame | FrameFault {
    if (!this.#fill(frameHeaderBytes, limitBytes))
      return fault('cut', `${frameHeaderBytes} bytes of header`, String(this.#available()))
    const header = decodeFrameHeader(this.#buffer, this.#position - this.#bufferStart)
    if (isFrameFault(header)) return header
    const length = frameBytes(header)
    if (!this.#fill(length, limitBytes)) return fault('cut', `${length} bytes of frame`, String(this.#available()))
    const at = this.#position - this.#bufferStart
    const payload = this.#buffer.subarray(at + frameHeaderBytes, at + length)
    const broken = payloadFault(header, payload)
    if (broken !== null) return broken
    return {
      header,
      extension: payload.subarray(0, header.extensionBytes),
      body: payload.subarray(header.extensionBytes),
      startBytes: this.#position,
      endBytes: this.#position + length,
    }
  }

  /** Brings `length` bytes from the position on into the buffer; false when the file or the limit ends before. */
  #fill(length: number, limitBytes: number): boolean {
    if (this.#available() >= length) return true
    if (this.#position + length > limitBytes) return false
    this.#compact(Math.max(length, Math.min(bufferBytes, limitBytes - this.#position)))
    while (this.#available() < length) {
      const room = Math.min(this.#buffer.length, limitBytes - this.#bufferStart) - this.#filled
      const into = this.#buffer.subarray(this.#filled, this.#filled + room)
      const readBytes = this.#file.read(into, this.#bufferStart + this.#filled)
      if (readBytes === 0) return false
      this.#filled += readBytes
    }
    return true
  }

  /** Moves what is left to the head of a buffer of at least `wantedBytes`. */
  #compact(wantedBytes: number): void {
    const at = this.#position - this.#bufferStart
    const rest = this.#buffer.subarray(at, this.#filled)
    // A frame longer than usual (one long line) gets a buffer of its own, which is given up again after it.
    const isOutsized = this.#buffer.length > bufferBytes && wantedBytes <= bufferBytes
    if (this.#buffer.length < wantedBytes || isOutsized) {
      const next = Buffer.allocUnsafeSlow(wantedBytes)
      rest.copy(next)
      this.#buffer = next
    } else this.#buffer.copyWithin(0, at, this.#filled)
    this.#bufferStart = this.#position
    this.#filled = rest.length
  }

  #available(): number {
    return this.#bufferStart + this.#filled - this.#position
  }

  #forget(): void {
    this.#bufferStart = this.#position
    this.#filled = 0
  }
}
