/** Thrown by {@link ByteReader} where the bytes end too early; the caller says what that means. */
export class BytesEnded extends Error {}

/** Reads little-endian fields one after another. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  /** Takes a whole list or nothing, so that a damaged count cannot make a huge array. */
  float64s(count: number): Float64Array {
    const start = this.#take(8 * count)
    return Float64Array.from({ length: count }, (_, i) => this.#view.getFloat64(start + 8 * i, true))
  }

  bytes(count: number): Uint8Array {
    const start = this.#take(count)
    return this.#bytes.slice(start, start + count)
  }

  #take(count: number): number {
    if (count > this.left) throw new BytesEnded()
    const start = this.#at
    this.#at += count
    return start
  }
}
