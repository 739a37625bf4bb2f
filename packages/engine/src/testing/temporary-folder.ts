import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes a folder, and takes it away when `after` (a test runner's hook) calls. */
export function temporaryFolder(after: (remove: () => void) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** SHA-256 of every file below a folder, by relative path: equal when nothing was changed, added or removed. */
export function hashesBelow(folder: string): Record<string, string> {
  const hashes: Record<string, string> = {}
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name)
    if (statSync(path).isFile()) hashes[name] = createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  return hashes
}
