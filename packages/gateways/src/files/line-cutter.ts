import { assert, limits } from '@millwright/core'

/**
 * Cuts a stream of bytes into chunks of whole lines, in memory that the caller supplies, and carries what is left over
 * from one chunk to the next. It does no input of its own, so that one piece of code serves every kind of file.
 *
 * C1 Every chunk consists of whole lines, each with its newline; a last line without one gets one.
 * C2 The chunks one after another are the stream, but for C1 and C3: wherever reads happen to end.
 * C3 A line longer than `lineBytesMax` becomes its first `lineBytesMax + 1` bytes: long enough to be refused as too
 *    long, and no longer, so that memory is bounded by one chunk and one line.
 * C4 `position` is the place in the stream just after the lines given out: a line boundary, or the end.
 */
export interface LineCutter {
  /** Memory that the next chunk needs, in bytes; the last byte of it is not to be read into (C1). */
  readonly memoryBytes: number
  /** Bytes from the start of the stream (C4). */
  readonly position: number
  /** What to add to a byte's place in the chunk given out last to have its place in the stream, past a first line that was cut. */
  readonly basePosition: number
  /** Puts what was carried at the front of `memory`; returns where the next bytes of the stream belong. */
  begin(memory: Uint8Array): number
  /**
   * Takes note that `memory[0 .. filled)` holds the stream, and cuts.
   *
   * @param ended Whether the stream ends here.
   * @returns Bytes of whole lines at the front of `memory`; 0 when more must be read first (or nothing is left).
   */
  cut(memory: Uint8Array, filled: number, ended: boolean): number
}

const newline = 10

/**
 * Makes a cutter for one stream.
 *
 * @param options.chunkBytes Most bytes that are read at a time, 1 to `lineBytesMax`.
 * @param options.startPosition Place in the stream of the first byte that comes.
 * @param options.lineBytesMax Longest line that is passed on whole. Default: the product's own bound.
 */
export function createLineCutter(options: {
  readonly chunkBytes: number
  readonly startPosition: number
  readonly lineBytesMax?: number
}): LineCutter {
  const { chunkBytes, startPosition, lineBytesMax = limits.lineBytesMax } = options
  // A line that begins in a chunk and is longer than `lineBytesMax` then never ends in it: only the first may be cut.
  assert(chunkBytes >= 1 && chunkBytes <= lineBytesMax, 'a chunk must be no longer than the longest line')
  const keptBytes = lineBytesMax + 1
  let carried = new Uint8Array(4096)
  let carriedBytes = 0
  let position = startPosition
  let basePosition = startPosition
  /** Bytes of the line being carried that were left out (C3): they count for `position` once it is given out. */
  let omittedBytes = 0

  function carry(memory: Uint8Array, start: number, end: number): void {
    carriedBytes = end - start
    if (carriedBytes > carried.length) carried = new Uint8Array(Math.max(carriedBytes, 2 * carried.length))
    carried.set(memory.subarray(start, end))
  }

  /** Shortens the first line to what is kept of an overlong one (C3); returns how much of `memory` is filled then. */
  function shortenFirstLine(memory: Uint8Array, filled: number): number {
    const found = memory.indexOf(newline, carriedBytes)
    const lineEnd = found < 0 || found >= filled ? filled : found
    if (lineEnd <= keptBytes) return filled
    memory.copyWithin(keptBytes, lineEnd, filled)
    omittedBytes += lineEnd - keptBytes
    return filled - (lineEnd - keptBytes)
  }

  return {
    get memoryBytes() {
      return carriedBytes + chunkBytes + 1
    },
    get position() {
      return position
    },
    get basePosition() {
      return basePosition
    },
    begin(memory) {
      memory.set(carried.subarray(0, carriedBytes))
      return carriedBytes
    },
    cut(memory, filled, ended) {
      const length = filled > keptBytes ? shortenFirstLine(memory, filled) : filled
      const linesBytes = ended || length === 0 ? length : memory.lastIndexOf(newline, length - 1) + 1
      carry(memory, linesBytes, length)
      if (linesBytes === 0) return 0
      position += linesBytes + omittedBytes
      basePosition = position - linesBytes
      omittedBytes = 0
      if (memory[linesBytes - 1] === newline) return linesBytes
      memory[linesBytes] = newline
      return linesBytes + 1
    },
  }
}
