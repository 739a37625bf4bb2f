import { assert, decodeUtf8, encodeUtf8 } from '@millwright/core'

/** What a frame is made of, one field after another: docs/formats/bridge.md. */
export class PayloadWriter {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  begin(): this {
    this.#length = 0
    return this
  }

  uint8(value: number): this {
    this.#reserve(1)
    this.#view.setUint8(this.#length, value)
    this.#length += 1
    return this
  }

  float64(value: number): this {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
    return this
  }

  /** A key: its length as uint16, then its bytes. `null` is the empty key. */
  key(key: string | null): this {
    const at = this.#length
    this.#reserve(2)
    this.#length += 2
    if (key !== null) this.text(key)
    this.#view.setUint16(at, this.#length - at - 2, true)
    return this
  }

  /** Text as UTF-8, to the end of the payload. */
  text(text: string): this {
    this.#reserve(3 * text.length)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80) {
        // Ids and lines are nearly always plain: the rest goes the general way.
        const rest = encodeUtf8(text.slice(i))
        bytes.set(rest, at)
        at += rest.length
        break
      }
      bytes[at++] = code
    }
    this.#length = at
    return this
  }

  bytes(values: Uint8Array): this {
    this.#reserve(values.length)
    this.#bytes.set(values, this.#length)
    this.#length += values.length
    return this
  }

  /** What was written, as a view that holds until the next `begin`. */
  end(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Reads a payload field by field. */
export class PayloadReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  uint32(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4, true)
  }

  float64(): number {
    this.#at += 8
    return this.#view.getFloat64(this.#at - 8, true)
  }

  key(): string {
    const length = this.#view.getUint16(this.#at, true)
    this.#at += 2 + length
    return textOf(this.#bytes.subarray(this.#at - length, this.#at))
  }

  /** What is left, as a view. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }
}

/** Text of bytes that the host or this guest encoded. */
export function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  assert(text !== null, 'keys and configuration are UTF-8')
  return text
}
