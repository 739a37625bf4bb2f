import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { inputNotReadable } from './errors.ts'

/** A file this long is known by its beginning alone, wherever it lies. */
const prefixBytesMax = 65_536

/**
 * Returns the identity of a file as a resumable source: what `SourceMark.id` is for a file.
 *
 * A file that grew, or was renamed, is the source it was; a file with other content is another one, though it has the
 * same name. The identity is the hash of the first 64 KiB. A file shorter than that is known by what it holds now *and*
 * by its path: two short files may begin alike without the one being the other grown.
 *
 * Since a short file that grows would get another hash, the ids already known are asked first: one whose beginning (of
 * the length it had then) this file still has, at the same path, is this file. The longest such beginning counts.
 *
 * @param path Compressed files are known by their compressed bytes.
 * @param knownIds Ids of sources read before; others than of files are passed over.
 * @returns At most 64 characters.
 * @throws {ConfigurationError} When the file cannot be opened.
 */
export async function sourceIdOf(path: string, knownIds: Iterable<string> = []): Promise<string> {
  const prefix = await readPrefix(path)
  const pathHash = sha256(resolve(path)).slice(0, 12)
  const idOfPrefix = (byteLength: number): string => {
    const hash = sha256(prefix.subarray(0, byteLength)).slice(0, 32)
    return byteLength < prefixBytesMax ? `file-${byteLength}-${hash}-${pathHash}` : `file-${byteLength}-${hash}`
  }
  const known = new Set(knownIds)
  const lengths = new Set([...known].map(prefixLengthOf))
  for (const byteLength of [...lengths].sort((a, b) => b - a)) {
    // An empty file has no beginning by which it could be known again.
    if (byteLength === 0 || byteLength > prefix.length) continue
    const id = idOfPrefix(byteLength)
    if (known.has(id)) return id
  }
  return idOfPrefix(prefix.length)
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Length of the beginning that an id names; 0 for an id of something else. */
function prefixLengthOf(id: string): number {
  return Number(/^file-(\d{1,6})-[0-9a-f]{32}(?:-[0-9a-f]{12})?$/.exec(id)?.[1] ?? 0)
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
