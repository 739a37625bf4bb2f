import type { PartitionLines } from '@millwright/core'
import type { MemoryPool } from '../memory-pool.ts'

/**
 * Collects the lines of one call by partition, in runs: bytes that follow each other and belong to one partition are
 * copied at once.
 */
export interface PartitionWriter {
  /**
   * Copies `bytes[start .. end)`, which are `lineCount` whole lines without the last newline, and adds that newline.
   */
  addRun(partition: number, bytes: Uint8Array, start: number, end: number, lineCount: number): void
  /** Place of a resumable source after the next line of a partition; called for each line or for none. */
  addPosition(partition: number, position: number): void
  /** What was collected, by partition, ascending; partitions without lines are left out. */
  parts(): PartitionLines[]
  /** Gives the memory of the parts back to the pool. */
  release(): void
}

interface Part {
  bytes: Uint8Array
  length: number
  lineCount: number
  readonly positions: number[]
}

const newline = 10

/** @param expectedBytes Of all partitions together; the memory grows where this falls short. */
export function createPartitionWriter(
  partitionCount: number,
  expectedBytes: number,
  memory: MemoryPool,
): PartitionWriter {
  const parts = new Array<Part | undefined>(partitionCount).fill(undefined)
  // A fair share and a quarter more: hashing spreads devices evenly enough that few parts have to grow.
  const firstBytes = partitionCount === 1 ? expectedBytes : Math.ceil((expectedBytes / partitionCount) * 1.25)

  function part(partition: number): Part {
    const known = parts[partition]
    if (known !== undefined) return known
    const made = { bytes: memory.take(firstBytes + 1), length: 0, lineCount: 0, positions: [] }
    parts[partition] = made
    return made
  }

  return {
    addRun(partition, bytes, start, end, lineCount) {
      const target = part(partition)
      const length = target.length + (end - start) + 1
      if (length > target.bytes.length) {
        const grown = memory.take(Math.max(length, 2 * target.bytes.length))
        grown.set(target.bytes.subarray(0, target.length))
        memory.give(target.bytes)
        target.bytes = grown
      }
      target.bytes.set(bytes.subarray(start, end), target.length)
      target.bytes[length - 1] = newline
      target.length = length
      target.lineCount += lineCount
    },
    addPosition(partition, position) {
      part(partition).positions.push(position)
    },
    parts() {
      const found: PartitionLines[] = []
      for (const [partition, part] of parts.entries()) {
        if (part === undefined || part.lineCount === 0) continue
        const lines = { partition, lines: part.bytes.subarray(0, part.length), lineCount: part.lineCount }
        found.push(part.positions.length === 0 ? lines : { ...lines, linePositions: Float64Array.from(part.positions) })
      }
      return found
    },
    release() {
      for (const part of parts) if (part !== undefined) memory.give(part.bytes)
      parts.fill(undefined)
    },
  }
}
