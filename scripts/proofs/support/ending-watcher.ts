/**
 * Loaded into the plant before its own code (`node --import`): ends the watcher's thread, once for each time that the file which
 * MILLWRIGHT_PROOF_END_WATCHER names is made, as an error in it would.
 */
import { existsSync, rmSync } from 'node:fs'
import process from 'node:process'
import { isMainThread, workerData } from 'node:worker_threads'

const control = process.env['MILLWRIGHT_PROOF_END_WATCHER'] ?? ''
const lookEveryMs = 200

// Which thread it is can be told by what it was given (`WatchWorkerData`).
if (!isMainThread && workerData !== null && typeof workerData === 'object' && 'keepsCases' in workerData)
  setInterval(() => {
    if (!existsSync(control)) return
    rmSync(control)
    process.exit(1)
  }, lookEveryMs).unref()
