import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { InputDamagedError, InputShrankError, inputNotReadable } from './errors.ts'
import { createLineCutter } from './line-cutter.ts'
import { chunkBytesDefault } from './read-file-lines.ts'

/** An uncompressed file that is read straight into memory of the caller's, without a copy and without a promise. */
export interface LineFile {
  /**
   * Reads the next whole lines to the front of the memory that `target` supplies.
   *
   * @param target Asked for at least `byteLength` bytes, for example `(n) => operator.input(n)`.
   * @returns How many bytes were read there; 0 at the end of the file.
   */
  readInto(target: (byteLength: number) => Uint8Array): number
  /** Place in the file just after the lines read so far. Grows by at least one byte a line, so it can serve as offset. */
  readonly position: number
  /** Size of the file when it was opened. */
  readonly totalBytes: number
  close(): void
}

/**
 * Opens an uncompressed file of lines for the fastest way of reading; {@link readFileLines} describes what a line is.
 *
 * @throws {ConfigurationError} When the file cannot be opened.
 * @throws {InputShrankError} When the file is shorter than `startPosition`.
 */
export function openLineFile(
  path: string,
  options: { readonly startPosition?: number; readonly chunkBytes?: number } = {},
): LineFile {
  const { startPosition = 0, chunkBytes = chunkBytesDefault } = options
  const { file, totalBytes } = openFile(path)
  if (startPosition > totalBytes) {
    closeSync(file)
    throw new InputShrankError(path, totalBytes, startPosition)
  }
  const cutter = createLineCutter({ chunkBytes, startPosition })
  let readPosition = startPosition
  let ended = false
  return {
    totalBytes,
    get position() {
      return cutter.position
    },
    readInto(target) {
      while (!ended) {
        const memory = target(cutter.memoryBytes)
        const at = cutter.begin(memory)
        let readBytes: number
        try {
          readBytes = readSync(file, memory, at, chunkBytes, readPosition)
        } catch (error) {
          throw new InputDamagedError(path, readPosition, 'the file cannot be read here', error)
        }
        readPosition += readBytes
        ended = readBytes === 0
        const length = cutter.cut(memory, at + readBytes, ended)
        if (length > 0) return length
      }
      return 0
    },
    close: () => closeSync(file),
  }
}

function openFile(path: string): { file: number; totalBytes: number } {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (cause) {
    throw inputNotReadable(path, cause)
  }
  const status = fstatSync(file)
  if (status.isDirectory()) {
    closeSync(file)
    throw inputNotReadable(path, { code: 'a folder' })
  }
  return { file, totalBytes: status.size }
}
