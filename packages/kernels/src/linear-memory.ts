const pageBytes = 65536

/** Regions start at multiples of this: a line of the cache. */
const alignment = 64

/** A stretch of memory that nobody holds; bytes from the start of the memory. */
interface Span {
  start: number
  end: number
}

/**
 * Hands out regions of one WebAssembly memory, and grows it where none fits. Growing replaces `memory.buffer`: views that were made
 * before are then empty, addresses still hold.
 *
 * Invariants
 * - M1: regions in use do not overlap each other, a free span, or the bytes before `firstAddress`.
 * - M2: free spans are ascending, not empty, and do not touch one another.
 */
export class LinearMemory {
  readonly memory: WebAssembly.Memory
  private readonly free: Span[]

  /** @param firstAddress Everything before it belongs to somebody else; the memory is made to reach it. */
  constructor(memory: WebAssembly.Memory, firstAddress: number) {
    this.memory = memory
    const start = roundUp(firstAddress, alignment)
    const missing = start - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes))
    this.free = start < memory.buffer.byteLength ? [{ start, end: memory.buffer.byteLength }] : []
  }

  /**
   * Returns the address of a region of `byteLength` bytes, a multiple of 64; 0 for no bytes. What it holds is not defined.
   *
   * @throws {RangeError} When the memory cannot grow that far (4 GiB, or what the host has).
   */
  allocate(byteLength: number): number {
    const size = roundUp(byteLength, alignment)
    if (size === 0) return 0
    let at = this.free.findIndex((span) => span.end - span.start >= size)
    if (at < 0) {
      this.grow(size)
      at = this.free.length - 1
    }
    const span = this.free[at] as Span
    const address = span.start
    span.start += size
    if (span.start === span.end) this.free.splice(at, 1)
    return address
  }

  /** Takes back a region of `byteLength` bytes that `allocate` gave. */
  release(address: number, byteLength: number): void {
    const size = roundUp(byteLength, alignment)
    if (size === 0) return
    const at = this.free.findIndex((span) => span.start > address)
    const next = at < 0 ? this.free.length : at
    this.free.splice(next, 0, { start: address, end: address + size })
    this.merge(next)
    if (next > 0) this.merge(next - 1)
  }

  /** Adds pages until the last free span holds `size` bytes. */
  private grow(size: number): void {
    const end = this.memory.buffer.byteLength
    const last = this.free.at(-1)
    const spare = last !== undefined && last.end === end ? end - last.start : 0
    const pages = Math.ceil((size - spare) / pageBytes)
    this.memory.grow(pages)
    this.release(end, pages * pageBytes)
  }

  /** Joins the span at a position with the next one where they touch (M2). */
  private merge(position: number): void {
    const span = this.free[position] as Span
    const next = this.free[position + 1]
    if (next === undefined || span.end !== next.start) return
    span.end = next.end
    this.free.splice(position + 1, 1)
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step
}
