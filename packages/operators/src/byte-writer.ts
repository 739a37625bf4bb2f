/** Writes little-endian fields one after another; grows by doubling. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  length = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  uint8(value: number): void {
    this.#reserve(1)
    this.#view.setUint8(this.length, value)
    this.length += 1
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  float64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  float64s(values: ArrayLike<number>, start: number, end: number): void {
    this.#reserve(8 * (end - start))
    for (let i = start; i < end; i++) this.float64(values[i] as number)
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length)
    this.#bytes.set(values, this.length)
    this.length += values.length
  }

  /** What was written from `start` on, as a view: it holds until the next write. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.length)
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
