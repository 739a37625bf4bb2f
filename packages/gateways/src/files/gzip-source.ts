import type { FileHandle } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import type { ByteSource } from './byte-source.ts'
import { InputDamagedError } from './errors.ts'

const compressedReadBytes = 65_536
const decompressedChunkBytes = 262_144

/**
 * Decompresses a gzip file (of one or several members) as it is read. The decompressor is fed one piece at a time and
 * drained before the next, so that a file that expands a thousandfold takes no more memory than another, and so that a
 * file that ends early has given out everything before the error comes.
 */
export function createGzipSource(path: string, file: FileHandle, diskBytes: number): ByteSource {
  const gunzip = createGunzip({ chunkSize: decompressedChunkBytes })
  let diskPosition = 0
  let pending: Buffer = Buffer.alloc(0)
  let writing = false
  let ending = false
  let failure: Error | null = null
  let wake = (): void => undefined
  gunzip.on('error', (error) => {
    failure = error
  })
  for (const event of ['readable', 'end', 'error', 'close']) gunzip.on(event, () => wake())

  /** Starts the next piece on its way into the decompressor, unless one is under way. */
  async function feed(): Promise<void> {
    if (writing || ending) return
    const piece = Buffer.allocUnsafe(compressedReadBytes)
    const { bytesRead } = await file.read(piece, 0, piece.length, diskPosition)
    diskPosition += bytesRead
    if (bytesRead === 0) {
      ending = true
      gunzip.end()
      return
    }
    writing = true
    gunzip.write(piece.subarray(0, bytesRead), () => {
      writing = false
      wake()
    })
  }

  /** Resolves when the decompressor has something new to say: data, the end, an error, or room for more. */
  function somethingHappens(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve
    })
  }

  return {
    diskBytes,
    compressed: true,
    get diskPositionBytes() {
      return diskPosition
    },
    async read(into) {
      while (pending.length === 0) {
        const chunk = gunzip.read() as Buffer | null
        if (chunk !== null) pending = chunk
        else if (failure !== null) {
          const what = ending ? 'the compressed data ends early' : 'the compressed data is damaged'
          throw new InputDamagedError(path, diskPosition, `${what} (${(failure as Error).message})`, failure)
        } else if (gunzip.readableEnded) return 0
        else {
          await feed()
          if (failure === null && gunzip.readableLength === 0 && !gunzip.readableEnded) await somethingHappens()
        }
      }
      const some = Math.min(into.length, pending.length)
      into.set(pending.subarray(0, some))
      pending = pending.subarray(some)
      return some
    },
    async close() {
      gunzip.destroy()
      await file.close()
    },
  }
}
