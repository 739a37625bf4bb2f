import { MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { folderBytes } from './retention.ts'
import { listSegments } from './segment-names.ts'
import { closingTestEngines, ManualClock, openTestEngine, part } from './testing/test-engine.ts'

const forever = 1e15
const common = { segmentBytesMax: 1000, retentionEveryMs: forever }
const open = closingTestEngines(afterEach, common)

/** Appends ten records to each partition, each second one. */
async function tenSeconds(engine: Engine, clock: ManualClock): Promise<void> {
  for (let n = 0; n < 10; n++) {
    await engine.append('sensor-data', [part(0, `a ${n}`, 'x'.repeat(150)), part(1, `b ${n}`, 'x'.repeat(150))])
    clock.advance(1000)
  }
  await engine.drained()
}

const oldest = (disk: MemoryDisk, partition = 0): number => listSegments(disk, `/data/input/${partition}`)[0] ?? 0

test('input goes by age, whole segments, never at or after the older of the two snapshots (G1, G2)', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock, retention: { readingsMs: 5000, outputsMs: forever, diskBytesMax: forever } })
  await tenSeconds(engine, clock)
  clock.advance(1e6)
  await engine.retain()
  // Without a snapshot everything is needed.
  expect(oldest(disk)).toBe(0)
  await engine.snapshot()
  await tenSeconds(engine, clock)
  await engine.snapshot()
  clock.advance(1e6)
  await engine.retain()
  const afterOne = oldest(disk)
  // The older snapshot stands at 20: nothing at or after it may go.
  expect(afterOne).toBeGreaterThan(0)
  expect(afterOne).toBeLessThanOrEqual(20)
  await tenSeconds(engine, clock)
  await engine.snapshot()
  clock.advance(1e6)
  await engine.retain()
  expect(oldest(disk)).toBeGreaterThan(afterOne)
  expect(oldest(disk)).toBeLessThanOrEqual(40)
  expect(engine.stats().retiredSegments).toBeGreaterThan(4)
  // What is left is enough for the next start.
  await engine.close()
  const next = await open({ disk, clock })
  expect(next.recovery.partitions[0]?.processedFrom).toBe(60)
})

test('younger input is kept', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({
    disk,
    clock,
    retention: { readingsMs: 60_000, outputsMs: forever, diskBytesMax: forever },
  })
  for (let n = 0; n < 3; n++) {
    await tenSeconds(engine, clock)
    await engine.snapshot()
  }
  await engine.retain()
  expect(oldest(disk)).toBe(0)
  clock.advance(45_000)
  await engine.retain()
  expect(oldest(disk)).toBeGreaterThan(0)
})

test('a folder beyond its budget loses its oldest input first, of both partitions, then its oldest outputs (G3)', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const budget = { readingsMs: forever, outputsMs: forever, diskBytesMax: 25_000 }
  const engine = await open({ disk, clock, retention: budget })
  const outputs = (): number[] => listSegments(disk, '/data/output/dead-letters/0')
  for (let n = 0; n < 12; n++) {
    await tenSeconds(engine, clock)
    await engine.snapshot()
    await engine.retain()
    const { diskBytes, diskBudgetExceeded } = engine.stats()
    expect(diskBytes).toBe(folderBytes(disk, { directory: '/data', partitionCount: 2 }))
    expect(diskBudgetExceeded).toBe(diskBytes > budget.diskBytesMax)
    expect(diskBudgetExceeded).toBe(false)
    // Outputs only go when all input is gone that the older snapshot, at 20 n, does not need.
    if (outputs()[0] !== 0) expect(listSegments(disk, '/data/input/0')[1] ?? 1e9).toBeGreaterThan(20 * n)
  }
  expect(outputs()[0]).toBeGreaterThan(0)
  expect(Math.abs(oldest(disk, 0) - oldest(disk, 1))).toBeLessThan(20)
})

test('a budget that cannot be kept is said so', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock, retention: { readingsMs: forever, outputsMs: forever, diskBytesMax: 10 } })
  await tenSeconds(engine, clock)
  await engine.retain()
  expect(engine.stats().diskBudgetExceeded).toBe(true)
})

test('outputs go by their own age, and the mark that suppresses repetitions outlives them', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const retention = { readingsMs: forever, outputsMs: 5000, diskBytesMax: forever }
  const engine = await openTestEngine({ ...common, disk, clock, retention })
  await engine.snapshot()
  await tenSeconds(engine, clock)
  clock.advance(1e6)
  await engine.retain()
  const [firstKept] = listSegments(disk, '/data/output/dead-letters/0')
  expect(firstKept).toBeGreaterThan(0)
  expect(oldest(disk)).toBe(0)
  disk.killProcess()
  // No snapshot has passed anything: all input is processed again.
  const next = await open({ disk, clock, retention })
  await next.drained()
  expect(listSegments(disk, '/data/output/dead-letters/0')[0]).toBe(firstKept)
  expect(next.stats().partitions[0]?.suppressedCount).toBeGreaterThan(10)
})

test('a power cut while segments are removed leaves no hole in a log', async () => {
  const clock = new ManualClock()
  const disk = new MemoryDisk()
  const engine = await open({ disk, clock, retention: { readingsMs: 1000, outputsMs: forever, diskBytesMax: forever } })
  for (let n = 0; n < 2; n++) {
    await tenSeconds(engine, clock)
    await engine.snapshot()
  }
  clock.advance(1e6)
  const bases = listSegments(disk, '/data/input/0')
  const retiring = engine.retain()
  for (let turn = 0; turn < 30; turn++) {
    for (let seed = 0; seed < 5; seed++) {
      const left = listSegments(disk.afterPowerCut(seed), '/data/input/0')
      expect(left).toEqual(bases.slice(bases.length - left.length))
    }
    await Promise.resolve()
  }
  await retiring
  expect(listSegments(disk, '/data/input/0').length).toBeLessThan(bases.length)
})

test('retention runs by itself', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const retention = { readingsMs: 1000, outputsMs: forever, diskBytesMax: forever }
  const engine = await open({ disk, clock, retention, retentionEveryMs: 60_000 })
  for (let n = 0; n < 2; n++) {
    await tenSeconds(engine, clock)
    await engine.snapshot()
  }
  engine.tick()
  await engine.drained()
  expect(oldest(disk)).toBe(0)
  clock.advance(60_000)
  engine.tick()
  await engine.retain()
  expect(oldest(disk)).toBeGreaterThan(0)
})

test('how much the folder takes is known from the start, and followed', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const measured = (): number => folderBytes(disk, { directory: '/data', partitionCount: 2 })
  const first = await open({ disk, clock })
  await tenSeconds(first, clock)
  await first.drained()
  expect(first.stats().diskBytes).toBe(measured())
  await first.close()
  const second = await open({ disk, clock })
  const atStartBytes = second.stats().diskBytes
  expect(atStartBytes).toBe(measured())
  expect(atStartBytes).toBeGreaterThan(0)
  await tenSeconds(second, clock)
  await second.drained()
  clock.advance(5000)
  expect(second.stats().diskBytes).toBe(measured())
  expect(second.stats().diskBytes).toBeGreaterThan(atStartBytes)
})
