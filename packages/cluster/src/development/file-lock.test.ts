import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ClusterBusyError } from './errors.ts'
import { withFileLock } from './file-lock.ts'

function lockPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'lock')
}

test('withFileLock() lets one in at a time', async () => {
  const path = lockPath()
  let inside = 0
  let most = 0
  const work = async (): Promise<void> => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setImmediate(resolve))
    inside -= 1
  }
  await Promise.all([1, 2, 3].map(() => withFileLock(path, { waitMsMax: 30_000 }, work)))
  expect(most).toBe(1)
})

test('withFileLock() says that another holds it, once, and gives up in time', async () => {
  const path = lockPath()
  let waits = 0
  await withFileLock(path, { waitMsMax: 0 }, async () => {
    const second = withFileLock(path, { waitMsMax: 250, onWait: () => waits++ }, async () => 'in')
    await expect(second).rejects.toThrow(ClusterBusyError)
  })
  expect(waits).toBe(1)
  expect(await withFileLock(path, { waitMsMax: 0 }, async () => 'in')).toBe('in')
})

test('withFileLock() gives the lock back when the work fails', async () => {
  const path = lockPath()
  await expect(withFileLock(path, { waitMsMax: 0 }, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await withFileLock(path, { waitMsMax: 0 }, async () => 'in')).toBe('in')
})
