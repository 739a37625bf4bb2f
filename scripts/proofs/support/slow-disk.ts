/**
 * Loaded into the plant before its own code (`node --import`), in its main thread and its workers: while the file that
 * MILLWRIGHT_PROOF_SLOW_DISK names holds a number, each sync to disk takes so many milliseconds longer. The plant runs as it is
 * shipped and its data are on a real disk; what is slow is the one call that waits for that disk.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'

const control = process.env['MILLWRIGHT_PROOF_SLOW_DISK'] ?? ''
const sleeper = new Int32Array(new SharedArrayBuffer(4))
const { fdatasync, fdatasyncSync, fsyncSync } = fs

function delayMs(): number {
  return fs.existsSync(control) ? Number(fs.readFileSync(control, 'utf8')) : 0
}

function sleep(): void {
  const durationMs = delayMs()
  if (durationMs > 0) Atomics.wait(sleeper, 0, 0, durationMs)
}

fs.fdatasync = Object.assign(
  (descriptor: number, done: fs.NoParamCallback): void => {
    const durationMs = delayMs()
    if (durationMs > 0) setTimeout(() => fdatasync(descriptor, done), durationMs)
    else fdatasync(descriptor, done)
  },
  { __promisify__: fdatasync.__promisify__ },
)
fs.fdatasyncSync = (descriptor) => {
  sleep()
  fdatasyncSync(descriptor)
}
fs.fsyncSync = (descriptor) => {
  sleep()
  fsyncSync(descriptor)
}
syncBuiltinESMExports()
