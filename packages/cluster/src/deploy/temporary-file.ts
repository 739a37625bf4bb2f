import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Has bytes as a file of this name while `use` runs; in a folder that only this user can read. */
export async function temporaryFile<T>(name: string, bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-'))
  try {
    const path = join(folder, name)
    writeFileSync(path, bytes, { mode: 0o600 })
    return await use(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
