/**
 * Records of a fixed number of float64 fields, side by side in memory that grows without being copied.
 *
 * S1. A record is found by its index alone: float field f stands at `index · stride + f` of `floats`, int field i at
 *     `2 · index · stride + i` of `ints`. Both are views of the same bytes, so int field 2·f overlays float field f.
 * S2. Growing replaces both views and empties the old ones: whoever holds one takes it anew after anything that may grow.
 * S3. What was never written is zero bits.
 *
 * The memory is WebAssembly's because that alone can grow in place: a million devices never need twice their memory for a
 * moment, and pages that nobody wrote to take none.
 */

const pageBytes = 65_536
/** A WebAssembly memory ends at 4 GiB. */
const pagesMax = 65_536

export class RecordTable {
  /** Float64 fields of one record. */
  readonly stride: number
  floats: Float64Array
  ints: Int32Array
  readonly #memory: WebAssembly.Memory

  constructor(stride: number) {
    this.stride = stride
    this.#memory = new WebAssembly.Memory({ initial: 1 })
    this.floats = new Float64Array(this.#memory.buffer)
    this.ints = new Int32Array(this.#memory.buffer)
  }

  /**
   * Makes memory for every index up to `index`.
   *
   * @throws {RangeError} Beyond 4 GiB, which is 13 million devices of the reference plan.
   */
  ensure(index: number): void {
    const missingBytes = (index + 1) * this.stride * 8 - this.#memory.buffer.byteLength
    if (missingBytes <= 0) return
    const pages = this.#memory.buffer.byteLength / pageBytes
    // Doubled, so that growing is rare; the pages cost nothing until they are written to.
    const wanted = Math.max(Math.ceil(missingBytes / pageBytes), Math.min(pages, pagesMax - pages))
    this.#memory.grow(wanted)
    this.floats = new Float64Array(this.#memory.buffer)
    this.ints = new Int32Array(this.#memory.buffer)
  }

  float(index: number, field: number): number {
    return this.floats[index * this.stride + field] as number
  }

  setFloat(index: number, field: number, value: number): void {
    this.floats[index * this.stride + field] = value
  }

  int(index: number, field: number): number {
    return this.ints[2 * index * this.stride + field] as number
  }

  setInt(index: number, field: number, value: number): void {
    this.ints[2 * index * this.stride + field] = value
  }
}
