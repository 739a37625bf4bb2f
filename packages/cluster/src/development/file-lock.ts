import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { ClusterBusyError } from './errors.ts'

/** How often a waiting process asks for the lock again. */
const pollMs = 100
/** Result code of SQLite: another connection holds the lock. Source: sqlite.org, "Result and Error Codes". */
const sqliteBusy = 5

/**
 * Does `work` while this process alone holds the lock on `path`. The lock ends with its process however that dies
 * (docs/decisions/store-lock.md says why it is SQLite's).
 *
 * @param waitMsMax How long to wait for another holder, milliseconds.
 * @param onWait Called once, when the lock is not free at once.
 * @throws {ClusterBusyError} When another process holds it for longer.
 */
export async function withFileLock<T>(
  path: string,
  options: { waitMsMax: number; onWait?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path)
  try {
    const deadlineMs = performance.now() + options.waitMsMax
    for (let waited = false; !tryLock(database); waited = true) {
      if (!waited) options.onWait?.()
      if (performance.now() > deadlineMs)
        throw new ClusterBusyError(`Another process holds ${path}. Wait for it to end, or end it, and try again.`, {
          details: { path },
        })
      await delay(pollMs)
    }
    return await work()
  } finally {
    database.close()
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode === sqliteBusy) return false
    throw error
  }
}
