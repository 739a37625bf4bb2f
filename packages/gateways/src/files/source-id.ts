import { createHash, type Hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { inputNotReadable } from './errors.ts'

/** A file this long is known by its beginning alone, wherever it lies. */
const prefixBytesMax = 65_536
const newline = 10

/**
 * Returns the identity of a file as a resumable source: what `SourceMark.id` is for a file.
 *
 * A file that grew by whole lines, or was renamed, is the source it was; a file with other content is another one, though
 * it has the same name. The identity is the hash of the first 64 KiB. A file shorter than that is known by what it holds
 * *and* by its path: two short files may begin alike without the one being the other grown.
 *
 * Since a short file gets another hash when it grows, `isKnown` is asked for what its id may have been: each beginning of
 * the file that ends with a line, the longest first.
 *
 * @param path Compressed files are known by their compressed bytes; one that grew while it was short is another source.
 * @param isKnown Whether a source of this id was read before. Default: none was.
 * @returns At most 64 characters.
 * @throws {ConfigurationError} When the file cannot be opened.
 */
export async function sourceIdOf(path: string, isKnown: (id: string) => boolean = () => false): Promise<string> {
  const prefix = await readPrefix(path)
  const pathHash = createHash('sha256').update(resolve(path)).digest('hex').slice(0, 12)
  const idOf = (byteLength: number, hash: Hash): string => {
    const id = `file-${byteLength}-${hash.digest('hex').slice(0, 32)}`
    return byteLength < prefixBytesMax ? `${id}-${pathHash}` : id
  }
  const id = idOf(prefix.length, createHash('sha256').update(prefix))
  if (isKnown(id)) return id
  const earlierIds: string[] = []
  const hash = createHash('sha256')
  let hashedBytes = 0
  for (let end = prefix.indexOf(newline) + 1; end > 0 && end < prefix.length; end = prefix.indexOf(newline, end) + 1) {
    hash.update(prefix.subarray(hashedBytes, end))
    hashedBytes = end
    earlierIds.push(idOf(end, hash.copy()))
  }
  return earlierIds.findLast(isKnown) ?? id
}

async function readPrefix(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const prefix = new Uint8Array(prefixBytesMax)
      let length = 0
      for (;;) {
        const { bytesRead } = await file.read(prefix, length, prefix.length - length, length)
        length += bytesRead
        if (bytesRead === 0) return prefix.subarray(0, length)
      }
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw inputNotReadable(path, cause)
  }
}
