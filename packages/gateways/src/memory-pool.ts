/**
 * Memory that is used again: at full speed the collector would otherwise be called for the sake of memory that it does not
 * manage, and cost as much as decoding.
 */
export interface MemoryPool {
  /** Memory of at least so many bytes, holding whatever was in it. */
  take(byteLength: number): Uint8Array
  /** Takes memory back, whole as it was given; the giver does not look at it again. What is too much is let go. */
  give(memory: Uint8Array): void
}

/** Sizes are powers of two from 4 KiB; larger memory than 2 MiB is not kept. */
const sizeBitsMin = 12
const sizeBitsMax = 21
/** Kept of each size, so that a burst of one does not drive out the others: what four requests of 8,000 readings hold at a time. */
const keptBytesOfSizeMax = 6 * 1024 * 1024
const keptBytesMax = 16 * 1024 * 1024

/** Makes a pool; it begins empty. */
export function createMemoryPool(): MemoryPool {
  const kept: Uint8Array[][] = []
  let keptBytes = 0
  return {
    take(byteLength) {
      const bits = sizeBits(byteLength)
      const memory = kept[bits]?.pop()
      if (memory === undefined) return allocate(bits > sizeBitsMax ? byteLength : 2 ** bits)
      keptBytes -= memory.length
      return memory
    },
    give(memory) {
      const bits = sizeBits(memory.length)
      if (bits > sizeBitsMax || memory.length !== 2 ** bits) return
      kept[bits] ??= []
      const fits = keptBytes + memory.length <= keptBytesMax
      if (!fits || (kept[bits].length + 1) * memory.length > keptBytesOfSizeMax) return
      kept[bits].push(memory)
      keptBytes += memory.length
    },
  }
}

/** Not zeroed: whoever takes it writes before it reads. No Buffer, whose `slice` is a view and not a copy. */
function allocate(byteLength: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer)
}

function sizeBits(byteLength: number): number {
  return byteLength <= 2 ** sizeBitsMin ? sizeBitsMin : 32 - Math.clz32(byteLength - 1)
}
