import { type FileHandle, open } from 'node:fs/promises'
import type { ByteSource } from './byte-source.ts'
import { InputShrankError, inputNotReadable } from './errors.ts'
import { createGzipSource } from './gzip-source.ts'

/** How a file begins that gzip wrote. Source: RFC 1952, 2.3.1. */
const gzipMagic = [0x1f, 0x8b] as const

/**
 * Opens a file at a place in its (decompressed) bytes. Compression is told by the file's first bytes, not by its name.
 *
 * @param startPosition In a compressed file, what comes before it is decompressed and left out.
 * @throws {ConfigurationError} When the path cannot be opened as a file.
 * @throws {InputShrankError} When the file ends before `startPosition`.
 */
export async function openByteSource(path: string, startPosition = 0): Promise<ByteSource> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw inputNotReadable(path, cause)
  })
  try {
    const status = await file.stat()
    if (status.isDirectory()) throw inputNotReadable(path, { code: 'a folder' })
    const magic = new Uint8Array(gzipMagic.length)
    const { bytesRead } = await file.read(magic, 0, magic.length, 0)
    const compressed = bytesRead === gzipMagic.length && gzipMagic.every((byte, index) => magic[index] === byte)
    const source = compressed
      ? createGzipSource(path, file, status.size)
      : createPlainSource(file, status.size, startPosition)
    if (compressed) await skip(path, source, startPosition)
    else if (startPosition > status.size) throw new InputShrankError(path, status.size, startPosition)
    return source
  } catch (error) {
    await file.close()
    throw error
  }
}

function createPlainSource(file: FileHandle, diskBytes: number, startPosition: number): ByteSource {
  let position = startPosition
  return {
    diskBytes,
    compressed: false,
    get diskPositionBytes() {
      return position
    },
    async read(into) {
      const { bytesRead } = await file.read(into, 0, into.length, position)
      position += bytesRead
      return bytesRead
    },
    close: () => file.close(),
  }
}

async function skip(path: string, source: ByteSource, byteCount: number): Promise<void> {
  const waste = new Uint8Array(262_144)
  let skipped = 0
  while (skipped < byteCount) {
    const some = await source.read(waste.subarray(0, Math.min(waste.length, byteCount - skipped)))
    if (some === 0) throw new InputShrankError(path, skipped, byteCount)
    skipped += some
  }
}
