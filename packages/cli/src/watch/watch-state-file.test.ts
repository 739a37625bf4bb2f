import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PlantWatch } from '@millwright/monitoring'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  readWatchState,
  type StoredWatch,
  type WatchToStore,
  watchStatePath,
  writeWatchState,
} from './watch-state-file.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-watch-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** More machines than one line holds, with quotes in their names. */
function stored(): StoredWatch & WatchToStore {
  const watch = new PlantWatch({ channels: [], marked: false, referenceOf: () => null })
  for (let n = 0; n < 1200; n++) {
    const deviceId = `press-${n}-"ü"`
    const features = { deviceId, windowStart: 0, windowEnd: 300_000, revision: 0, readingCount: 3, features: {} }
    watch.take({ topic: 'device-features', appendTimeMs: n, text: JSON.stringify(features) })
    if (n % 100 > 0) continue
    const { readingCount: _, ...signal } = {
      ...features,
      probability: 0.9,
      status: 'High risk of failure',
      model: { name: 'm', version: '1' },
    }
    watch.take({ topic: 'alert-signals', appendTimeMs: n, text: JSON.stringify(signal) })
  }
  return { positions: { 'device-features/0': 1200 }, state: watch.snapshot(), pieces: watch.snapshotInPieces() }
}

test('a state is read as it was written, machines in pieces (S2)', () => {
  const path = watchStatePath(folder)
  expect(readWatchState(path, 'a')).toBeNull()
  const { positions, state, pieces } = stored()
  writeWatchState(path, 'a', { positions, pieces })
  expect(readWatchState(path, 'a')).toEqual({ positions, state })
  expect(readFileSync(path, 'utf8').split('\n').length).toBe(8 + 1)
  expect(existsSync(`${path}.tmp`)).toBe(false)
  expect(readWatchState(path, 'b')).toBeNull()
})

test('a state that was damaged or cut anywhere is not used (S1)', () => {
  const path = watchStatePath(folder)
  writeWatchState(path, 'a', stored())
  const whole = readFileSync(path)
  for (let at = 0; at < whole.length; at += 9973) {
    writeFileSync(path, whole.subarray(0, at))
    expect(readWatchState(path, 'a'), `cut at ${at}`).toBeNull()
    const damaged = Buffer.from(whole)
    damaged[at] = (damaged[at] as number) ^ 1
    writeFileSync(path, damaged)
    expect(readWatchState(path, 'a'), `damaged at ${at}`).toBeNull()
  }
})

test('a file larger than what can be read at once is looked at line by line (S1)', () => {
  const path = watchStatePath(folder)
  writeWatchState(path, 'a', stored())
  // Sparse: two gibibytes of nothing that take no room, the limit of reading a file whole.
  truncateSync(path, 2 ** 31)
  expect(readWatchState(path, 'a')).toBeNull()
})
