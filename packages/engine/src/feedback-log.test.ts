import type { DeadLetter, Disk, FeedbackBatch } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import { listTopics } from './list-topics.ts'
import { closingTestEngines, ManualClock, openTestEngine, part } from './testing/test-engine.ts'
import type { TopicRecord } from './topic-lane.ts'
import { openTopicReader } from './topic-reader.ts'
import { verifyStore } from './verify-store.ts'

const open = closingTestEngines(afterEach)
const verdict = (n: number): FeedbackBatch => ({
  accepted: [{ deviceId: `press-${n % 2}`, line: `{"id":"order-${n}"}` }],
  refused: [],
})
const letter = (reason: string): FeedbackBatch => ({
  accepted: [],
  refused: [{ deviceId: null, line: `{"reason":"${reason}"}` }],
})

function read(disk: Disk, topic: 'maintenance-feedback' | 'dead-letters' | 'device-features'): TopicRecord[] {
  const reader = openTopicReader({ directory: '/data', topic, disk })
  try {
    return [...reader]
  } finally {
    reader.close()
  }
}
const texts = (records: readonly TopicRecord[]): string[] => records.map(({ value }) => Buffer.from(value).toString())

test('verdicts are on their topic under their device, over restarts; what is none is a dead letter behind the partitions', async () => {
  const disk = new MemoryDisk()
  for (const n of [0, 1, 2]) {
    const engine = await open({ disk })
    await engine.append('sensor-data', [part(0, 'bad')])
    await engine.appendFeedback({ ...verdict(n), refused: letter(`feedback-${n}`).refused })
    await engine.drained()
    await engine.close()
  }
  const records = read(disk, 'maintenance-feedback')
  expect(texts(records)).toEqual([0, 1, 2].map((n) => `{"id":"order-${n}"}`))
  expect(records.map(({ key, partition, offset }) => [key, partition, offset])).toEqual([
    ['press-0', 0, 0],
    ['press-1', 0, 1],
    ['press-0', 0, 2],
  ])
  const refused = read(disk, 'dead-letters').filter(({ partition }) => partition === 2)
  expect(refused.map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as DeadLetter).reason)).toEqual(
    [0, 1, 2].map((n) => `feedback-${n}`),
  )
  const ends = listTopics('/data', disk).filter(
    ({ topic }) => topic === 'maintenance-feedback' || topic === 'dead-letters',
  )
  expect(ends.map(({ topic, partition, endOffset }) => `${topic} ${partition} ${endOffset}`)).toEqual([
    'maintenance-feedback 0 3',
    'dead-letters 0 3',
    'dead-letters 1 0',
    'dead-letters 2 3',
  ])
  expect(verifyStore('/data', disk).problems).toEqual([])
})

test('an acknowledged verdict is there after a power cut at each operation of the disk (B1, B3)', async () => {
  const giveThree = async (disk: FaultDisk, acknowledged: number[]): Promise<void> => {
    const engine = await openTestEngine({ disk })
    for (const n of [0, 1, 2]) {
      await engine.appendFeedback(verdict(n))
      acknowledged.push(n)
    }
  }
  const uncut = new FaultDisk(new MemoryDisk())
  await giveThree(uncut, [])
  let acknowledgedInAll = 0
  for (let operation = 1; operation <= uncut.operationCount; operation++) {
    const memory = new MemoryDisk()
    const disk = new FaultDisk(memory)
    const acknowledged: number[] = []
    disk.cutPowerAt(operation)
    await Promise.race([giveThree(disk, acknowledged).catch(() => undefined), disk.whenPowerCut])
    const image = memory.afterPowerCut(operation)
    const again = await openTestEngine({ disk: image })
    await again.appendFeedback(verdict(9))
    const found = texts(read(image, 'maintenance-feedback'))
    for (const n of acknowledged) expect(found, `cut at ${operation}`).toContain(`{"id":"order-${n}"}`)
    expect(found.at(-1)).toBe('{"id":"order-9"}')
    await again.close()
    acknowledgedInAll += acknowledged.length
  }
  expect(acknowledgedInAll).toBeGreaterThan(5)
})

test('what could not be stored is refused, and the next verdict finds the log in order (B1, B3)', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const engine = await open({ disk })
  await engine.appendFeedback(verdict(0))
  disk.fail({ operation: 'sync', fault: 'fail', path: '/feedback/accepted' })
  await expect(engine.appendFeedback(verdict(1))).rejects.toMatchObject({ code: 'DISK_FAILED', retry: 'later' })
  disk.fail({ operation: 'write', fault: 'no-space', path: '/feedback/accepted' })
  await expect(engine.appendFeedback(verdict(2))).rejects.toMatchObject({ code: 'DISK_FULL' })
  await engine.appendFeedback(verdict(3))
  expect(texts(read(disk, 'maintenance-feedback'))).toEqual(['{"id":"order-0"}', '{"id":"order-3"}'])
})

test('a verdict is never older than what the input logs had, whatever the clock does (B2), and time goes on past it', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock, heartbeatEveryMs: 1e9 })
  await engine.append('sensor-data', [part(0, 'a 1')])
  const readingMs = engine.stats().partitions[0]?.appendTimeMs ?? 0
  clock.advance(-60_000)
  await engine.appendFeedback(verdict(0))
  expect(read(disk, 'maintenance-feedback')[0]?.appendTimeMs).toBe(readingMs)
  clock.advance(120_000)
  await engine.appendFeedback(verdict(1))
  await engine.drained()
  const verdictMs = read(disk, 'maintenance-feedback')[1]?.appendTimeMs ?? Number.POSITIVE_INFINITY
  expect(verdictMs).toBe(readingMs + 60_000)
  for (const { appendTimeMs } of engine.stats().partitions) expect(appendTimeMs).toBeGreaterThanOrEqual(verdictMs)
})

test('a full disk budget takes no verdict away; age does (G3)', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const retention = { readingsMs: 1e15, outputsMs: 1e6, diskBytesMax: 1 }
  const engine = await open({ disk, clock, segmentBytesMax: 200, retention, retentionEveryMs: 1e15 })
  for (let n = 0; n < 10; n++) await engine.appendFeedback(verdict(n))
  await engine.retain()
  expect(read(disk, 'maintenance-feedback')).toHaveLength(10)
  clock.advance(2e6)
  await engine.appendFeedback(verdict(10))
  await engine.retain()
  expect(read(disk, 'maintenance-feedback').length).toBeLessThan(5)
})
