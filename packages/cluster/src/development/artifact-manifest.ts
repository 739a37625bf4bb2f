import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** One file of a set in the cache. */
export interface ManifestEntry {
  /** Relative to the set's folder, with `/`. */
  readonly path: string
  readonly sizeBytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** What a set in the cache is made of. It is written last: a set without one was never finished. */
export interface ArtifactManifest {
  /** The coordinates or the requirement that it was made from; others make another set. */
  readonly source: string
  readonly files: readonly ManifestEntry[]
}

const manifestName = 'manifest.json'

/** Describes the files of a folder and writes the manifest into it. */
export async function writeManifest(folder: string, source: string): Promise<ArtifactManifest> {
  const files: ManifestEntry[] = []
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === manifestName) continue
    const file = join(entry.parentPath, entry.name)
    const path = file.slice(folder.length + 1).replaceAll('\\', '/')
    files.push({ path, sizeBytes: statSync(file).size, sha256: await sha256Of(file) })
  }
  const manifest = { source, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) }
  writeFileSync(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`)
  return manifest
}

/**
 * Says what is wrong with a set in the cache; `null` when every file is there with its size and its checksum.
 *
 * @param source What the set should be made from.
 */
export async function findDamage(folder: string, source: string): Promise<string | null> {
  const manifest = readManifest(folder)
  if (manifest === null) return 'was not finished'
  if (manifest.source !== source) return 'was made from other versions'
  for (const { path, sizeBytes, sha256 } of manifest.files) {
    const file = join(folder, path)
    if (!existsSync(file)) return `lacks ${path}`
    if (statSync(file).size !== sizeBytes) return `has a ${path} of another size`
    if ((await sha256Of(file)) !== sha256) return `has a ${path} with another checksum`
  }
  return null
}

function readManifest(folder: string): ArtifactManifest | null {
  const path = join(folder, manifestName)
  if (!existsSync(path)) return null
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<ArtifactManifest>
    return typeof value.source === 'string' && Array.isArray(value.files) ? (value as ArtifactManifest) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}
