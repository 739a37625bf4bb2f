/**
 * Records of a fixed number of float64 fields, in slabs that never move.
 *
 * S1. A record's memory is found by its index alone: slab `index >> slabBits`, float `(index & slabMask) * stride`.
 * S2. Growing adds a slab; no byte is copied, so a million records never need twice their memory for a moment.
 * S3. `floats[k]` and `ints[k]` are two views of the same bytes: int field 2·f overlays float field f.
 */

/** 1,024 records a slab: 100 to 300 KiB, so that a small plant stays small and a large one has few slabs. */
export const slabBits = 10
export const slabMask = (1 << slabBits) - 1

export class Slabs {
  readonly stride: number
  readonly floats: Float64Array[] = []
  readonly ints: Int32Array[] = []

  /** @param stride Float64 fields of one record. */
  constructor(stride: number) {
    this.stride = stride
  }

  /** Makes memory for every index up to `index`; new records are all zero bits. */
  ensure(index: number): void {
    while (this.floats.length <= index >> slabBits) {
      const buffer = new ArrayBuffer((this.stride * 8) << slabBits)
      this.floats.push(new Float64Array(buffer))
      this.ints.push(new Int32Array(buffer))
    }
  }

  float(index: number, field: number): number {
    return (this.floats[index >> slabBits] as Float64Array)[(index & slabMask) * this.stride + field] as number
  }

  setFloat(index: number, field: number, value: number): void {
    ;(this.floats[index >> slabBits] as Float64Array)[(index & slabMask) * this.stride + field] = value
  }

  int(index: number, field: number): number {
    return (this.ints[index >> slabBits] as Int32Array)[(index & slabMask) * this.stride * 2 + field] as number
  }

  setInt(index: number, field: number, value: number): void {
    ;(this.ints[index >> slabBits] as Int32Array)[(index & slabMask) * this.stride * 2 + field] = value
  }
}
