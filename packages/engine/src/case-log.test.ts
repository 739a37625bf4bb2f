import type { CaseLine, Disk } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import { closingTestEngines, openTestEngine, part } from './testing/test-engine.ts'
import { openTopicReader } from './topic-reader.ts'
import { verifyStore } from './verify-store.ts'

const open = closingTestEngines(afterEach)

/** Message `n` of a fold: two of each append time, every third with a verdict. */
function message(n: number): CaseLine {
  const feedback = n % 3 === 0 ? { deviceId: 'press-1', line: `{"id":"case","revision":${n}}` } : null
  return { deviceId: 'press-1', line: `{"n":${n}}`, causedAtMs: 1000 + (n >> 1), index: n % 2, feedback }
}

function read(disk: Disk, topic: 'cases' | 'case-commands' | 'maintenance-feedback'): string[] {
  const reader = openTopicReader({ directory: '/data', topic, disk })
  try {
    return [...reader].map(({ value }) => Buffer.from(value).toString())
  } finally {
    reader.close()
  }
}

test('messages are on their topic once, from wherever the fold begins anew, over restarts (K1)', async () => {
  const disk = new MemoryDisk()
  for (const [from, to] of [
    [0, 4],
    [2, 7],
    [0, 10],
    [5, 10],
  ] as const) {
    const engine = await open({ disk })
    for (let n = from; n < to; n += 2) await engine.appendCases([n, n + 1].filter((each) => each < to).map(message))
    await engine.close()
  }
  expect(read(disk, 'cases')).toEqual(Array.from({ length: 10 }, (_, n) => `{"n":${n}}`))
  expect(read(disk, 'maintenance-feedback')).toEqual([0, 3, 6, 9].map((n) => `{"id":"case","revision":${n}}`))
  expect(verifyStore('/data', disk).problems).toEqual([])
})

test('a fold that goes on where it was acknowledged loses and doubles no message at a power cut of each operation (K1, K2, K3)', async () => {
  const wanted = Array.from({ length: 4 }, (_, n) => `{"n":${n}}`)
  /** As the watcher does: goes on after what was acknowledged, at most. */
  const fold = async (disk: Disk, saved: { upTo: number }): Promise<void> => {
    const engine = await openTestEngine({ disk })
    for (let n = saved.upTo; n < 4; n += 2) {
      await engine.appendCases([message(n), message(n + 1)])
      saved.upTo = n + 2
    }
  }
  const uncut = new FaultDisk(new MemoryDisk())
  await fold(uncut, { upTo: 0 })
  for (let operation = 1; operation <= uncut.operationCount; operation++) {
    const memory = new MemoryDisk()
    const disk = new FaultDisk(memory)
    const saved = { upTo: 0 }
    disk.cutPowerAt(operation)
    await Promise.race([fold(disk, saved).catch(() => undefined), disk.whenPowerCut])
    const image = memory.afterPowerCut(operation)
    await fold(image, saved)
    expect(read(image, 'cases'), `cut at ${operation}`).toEqual(wanted)
    const verdicts = [...new Set(read(image, 'maintenance-feedback'))]
    expect(verdicts, `cut at ${operation}`).toEqual([0, 3].map((n) => `{"id":"case","revision":${n}}`))
  }
})

test('messages that could not be stored are given again, and are there once (K2, K3)', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const engine = await open({ disk })
  await engine.appendCases([message(0)])
  disk.fail({ operation: 'sync', fault: 'fail', path: '/cases/messages' })
  await expect(engine.appendCases([message(1), message(2)])).rejects.toMatchObject({
    code: 'DISK_FAILED',
    retry: 'later',
  })
  disk.fail({ operation: 'write', fault: 'no-space', path: '/cases/messages' })
  await expect(engine.appendCases([message(1), message(2)])).rejects.toMatchObject({ code: 'DISK_FULL' })
  await engine.appendCases([message(1), message(2)])
  expect(read(disk, 'cases')).toEqual(['{"n":0}', '{"n":1}', '{"n":2}'])
})

test('a command has a snapshot taken soon, so that readers by append time go on past it', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk, snapshotEveryMs: 1e9 })
  await engine.append('sensor-data', [part(0, 'bad'), part(1, 'bad')])
  await engine.drained()
  engine.tick()
  expect(disk.list('/data/state/0')).toEqual([])
  await engine.appendCaseCommands([{ deviceId: 'press-1', line: '{"id":"c"}' }])
  engine.tick()
  await expect.poll(() => disk.list('/data/state/0').length).toBeGreaterThan(0)
  expect(read(disk, 'case-commands')).toEqual(['{"id":"c"}'])
})

test('a verdict never has the append time of a command that was there before it (B2)', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk })
  const verdict = { accepted: [{ deviceId: 'press-1', line: '{}' }], refused: [] }
  await engine.appendFeedback(verdict)
  await engine.appendCaseCommands([{ deviceId: 'press-1', line: '{}' }])
  await engine.appendFeedback(verdict)
  const times = (topic: 'case-commands' | 'maintenance-feedback'): number[] =>
    [...openTopicReader({ directory: '/data', topic, disk })].map(({ appendTimeMs }) => appendTimeMs)
  const [first, second] = times('maintenance-feedback')
  const [command] = times('case-commands')
  expect(command).toBe(first)
  expect(second).toBe((first ?? 0) + 1)
})
