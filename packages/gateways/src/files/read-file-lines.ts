import type { ByteSource } from './byte-source.ts'
import { createLineCutter } from './line-cutter.ts'
import { openByteSource } from './open-byte-source.ts'

/** Whole lines of a file, and how far they reach in it. */
export interface FileLines {
  /** Newline-separated, ending in a newline. The memory is reused: it holds until the next chunk is asked for. */
  readonly bytes: Uint8Array
  /** Place in the (decompressed) file just after these lines: where reading may be taken up again. */
  readonly endPosition: number
  /**
   * Returns the place in the (decompressed) file just after one of these lines.
   *
   * @param line Index of the line in this chunk, from 0. @param endByte Place in `bytes` just after its newline.
   */
  positionAfter(line: number, endByte: number): number
}

/** Told as a file is read: bytes on disk so far, of all. */
export type ReadProgress = (readBytes: number, totalBytes: number) => void

export interface ReadFileOptions {
  /** An `endPosition` of an earlier reading of the same file. Default 0. */
  readonly startPosition?: number
  /** Bytes per chunk, at most `lineBytesMax`. Default 256 KiB. */
  readonly chunkBytes?: number
  readonly onProgress?: ReadProgress
}

/** A good size for the memory of a processor: larger chunks were no faster, smaller ones cost more calls. */
export const chunkBytesDefault = 262_144

/**
 * Reads a file as chunks of whole lines; `.gz` (told by content) is decompressed on the way. A last line without a
 * newline is a line. A line longer than `lineBytesMax` comes cut to one byte more than that.
 *
 * Taking up again after a last line that had no newline and has grown since gives the rest of it as a line of its own,
 * which is refused further on: a program that appends must write whole lines.
 *
 * @throws {ConfigurationError} When the file cannot be opened.
 * @throws {InputDamagedError} When compressed data ends early or is damaged; the whole lines before were given out.
 * @throws {InputShrankError} When the file is shorter than `startPosition`.
 */
export async function* readFileLines(path: string, options: ReadFileOptions = {}): AsyncGenerator<FileLines, void> {
  const { startPosition = 0, chunkBytes = chunkBytesDefault, onProgress } = options
  const source = await openByteSource(path, startPosition)
  try {
    yield* sourceLines(source, startPosition, chunkBytes, onProgress)
  } finally {
    await source.close()
  }
}

async function* sourceLines(
  source: ByteSource,
  startPosition: number,
  chunkBytes: number,
  onProgress: ReadProgress | undefined,
): AsyncGenerator<FileLines, void> {
  const cutter = createLineCutter({ chunkBytes, startPosition })
  let memory = new Uint8Array(cutter.memoryBytes)
  let ended = false
  while (!ended) {
    if (memory.length < cutter.memoryBytes) memory = new Uint8Array(2 * cutter.memoryBytes)
    const at = cutter.begin(memory)
    const readBytes = await source.read(memory.subarray(at, at + chunkBytes))
    ended = readBytes === 0
    const length = cutter.cut(memory, at + readBytes, ended)
    onProgress?.(source.diskPositionBytes, source.diskBytes)
    if (length === 0) continue
    const { basePosition, position: endPosition } = cutter
    // A newline that the file's last line lacks was added, and is in no place of the file.
    const positionAfter = (_line: number, endByte: number): number => Math.min(basePosition + endByte, endPosition)
    yield { bytes: memory.subarray(0, length), endPosition, positionAfter }
  }
}
