import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { sha256Of } from './model-store.ts'
import { retirableModels } from './retention.ts'
import { testPackage } from './testing/sum-operator.ts'
import {
  closingTestEngines,
  freshOutputs,
  ManualClock,
  openTestEngine,
  part,
  storedActivations,
  storedOutputs,
} from './testing/test-engine.ts'

const open = closingTestEngines(afterEach)

/** Five readings of one device: one alert. */
async function fiveReadings(engine: Engine): Promise<void> {
  for (let n = 0; n < 5; n++) await engine.append('sensor-data', [part(0, `a ${n}`), part(1, `b ${n}`)])
}

const versions = (disk: MemoryDisk | FaultDisk, partition = 0): (string | null)[] =>
  storedOutputs(disk, 'alert-signals', partition).map(
    ({ value }) => (JSON.parse(value) as { model: string | null }).model,
  )

test('publish() puts a model in force one second from now, in every partition, without a restart', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock })
  const published = await engine.publish(testPackage('1'))
  expect(published).toMatchObject({ name: 'sums', version: '1', offset: 0, activeFrom: clock.nowMs() + 1000 })
  await fiveReadings(engine)
  clock.advance(1000)
  await fiveReadings(engine)
  await engine.drained()
  for (const partition of [0, 1]) {
    expect(versions(disk, partition)).toEqual([null, '1'])
    expect(storedActivations(disk, partition)).toEqual([0])
    expect(storedOutputs(disk, 'alert-signals', partition)).toEqual(freshOutputs(disk, partition).get('alert-signals'))
  }
})

test('publish() takes its time from the log where the clock was set back', async () => {
  const clock = new ManualClock()
  const engine = await open({ disk: new MemoryDisk(), clock })
  await fiveReadings(engine)
  clock.advance(-60_000)
  expect((await engine.publish(testPackage('1'))).activeFrom).toBe(clock.nowMs() + 61_000)
})

test.each([
  ['the plant does not accept', { code: 'MINE' }],
  ['the plant names by another hash', { code: 'MODEL_REFUSED', retry: 'never' }],
])('a package that %s changes nothing (M1)', async (name, expected) => {
  const disk = new MemoryDisk()
  const engine = await open({
    disk,
    validateModel: () => {
      if (name.includes('accept')) throw Object.assign(new Error('no'), { code: 'MINE' })
      return { name: 'sums', version: '1', sha256: '0'.repeat(64) }
    },
  })
  const before = disk.files()
  await expect(engine.publish(testPackage('1'))).rejects.toMatchObject(expected)
  expect(disk.files()).toEqual(before)
  expect(engine.listModels()).toEqual([])
})

test('rollback() publishes the model before the newest again, and again that one', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock })
  await engine.publish(testPackage('1'))
  await expect(engine.rollback()).rejects.toMatchObject({ code: 'NO_PREVIOUS_MODEL' })
  await engine.publish(testPackage('2'))
  for (const version of ['1', '2', '1']) expect(await engine.rollback()).toMatchObject({ version })
  expect(engine.listModels().map(({ version, offset }) => [version, offset])).toEqual([
    ['1', 0],
    ['2', 1],
    ['1', 2],
    ['2', 3],
    ['1', 4],
  ])
  clock.advance(1000)
  await fiveReadings(engine)
  await engine.drained()
  expect(versions(disk)).toEqual(['1'])
})

test('publications of one moment reach every partition in the order of their log (M2)', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk })
  await Promise.all(['1', '2', '3'].map((version) => engine.publish(testPackage(version))))
  const order = engine.listModels().map(({ offset }) => offset)
  for (const partition of [0, 1]) expect(storedActivations(disk, partition)).toEqual(order)
})

test('an update that a failed disk kept from a partition reaches it when the disk works again (M2)', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const clock = new ManualClock()
  const engine = await open({ disk, clock })
  disk.fail({ operation: 'sync', fault: 'fail', path: '/input/1' })
  await expect(engine.publish(testPackage('1'))).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(engine.listModels()).toHaveLength(1)
  clock.advance(1000)
  engine.tick()
  await engine.drained()
  for (const partition of [0, 1]) expect(storedActivations(disk, partition)).toEqual([0])
})

test('an update whose log could not be written is not published, and the next one is', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const engine = await open({ disk })
  disk.fail({ operation: 'sync', fault: 'fail', path: '/model-updates' })
  await expect(engine.publish(testPackage('1'))).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(engine.listModels()).toEqual([])
  expect(await engine.publish(testPackage('2'))).toMatchObject({ offset: 0 })
  for (const partition of [0, 1]) expect(storedActivations(disk, partition)).toEqual([0])
})

test('an update that a crash kept from the partitions is completed by the next start, and said so (M2)', async () => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const first = await openTestEngine({ disk })
  // The update itself is durable; the activations are not.
  disk.fail({ operation: 'write', fault: 'fail', path: '/input/', count: Number.POSITIVE_INFINITY })
  await expect(first.publish(testPackage('1'))).rejects.toMatchObject({ code: 'DISK_FAILED' })
  const second = await open({ disk: memory.afterPowerCut(1) })
  expect(second.recovery.activationsCompleted).toBe(2)
  const third = await (async () => {
    await second.close()
    return await open({ disk: memory.afterPowerCut(1) })
  })()
  expect(third.listModels()).toHaveLength(1)
})

test('state that begins empty knows the model that is in force, though its activation was retired', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const retention = { readingsMs: 5000, outputsMs: 1e12, diskBytesMax: 1e12 }
  const first = await open({ disk, clock, segmentBytesMax: 700, retention })
  await first.publish(testPackage('1'))
  await first.publish(testPackage('2'))
  clock.advance(2000)
  for (let n = 0; n < 4; n++) await fiveReadings(first)
  await first.drained()
  await first.snapshot()
  clock.advance(10_000)
  await fiveReadings(first)
  await first.drained()
  await first.snapshot()
  await first.retain()
  expect(storedActivations(disk, 0)).toEqual([])
  await first.close()
  const second = await open({ disk, clock, identity: 'sums-2', segmentBytesMax: 700, retention })
  await fiveReadings(second)
  await second.drained()
  expect(versions(disk).at(-1)).toBe('2')
})

test('a package that was damaged is named when it is needed', async () => {
  const disk = new MemoryDisk()
  const first = await open({ disk })
  await first.publish(testPackage('1'), { activeFromMs: 0 })
  await fiveReadings(first)
  await first.close()
  const path = `/data/models/${sha256Of(testPackage('1'))}.mwmodel`
  disk.place(path, testPackage('x'))
  await expect(openTestEngine({ disk })).rejects.toMatchObject({
    code: 'MODEL_MISSING',
    message: expect.stringContaining(path),
  })
})

test('retirableModels() keeps the newest, those in force since the oldest input, and those in snapshots', () => {
  const published = Array.from({ length: 20 }, (_, n) => ({
    name: 'm',
    version: `${n}`,
    sha256: `hash ${n}`,
    activeFrom: 1000 * n,
    publishedAtMs: 1000 * n,
    offset: n,
  }))
  const stored = published.map(({ sha256 }) => sha256)
  const kept = (oldestInputMs: number, inSnapshots: string[] = []): string[] => {
    const gone = new Set(retirableModels(stored, published, oldestInputMs, inSnapshots))
    return stored.filter((sha256) => !gone.has(sha256))
  }
  expect(kept(1e9)).toEqual(stored.slice(10))
  expect(kept(1e9, ['hash 3'])).toEqual(['hash 3', ...stored.slice(10)])
  // At 4,500 model 4 is in force.
  expect(kept(4500)).toEqual(stored.slice(4))
  expect(kept(0)).toEqual(stored)
})

test('packages that nothing needs any more are removed, and a swap leaves no other trace', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({
    disk,
    clock,
    retention: { readingsMs: 1000, outputsMs: 1e12, diskBytesMax: 1e12 },
    segmentBytesMax: 2000,
  })
  for (let n = 0; n < 30; n++) {
    await engine.publish(testPackage(`${n}`))
    clock.advance(5000)
    await fiveReadings(engine)
    await engine.drained()
    await engine.snapshot()
  }
  await engine.snapshot()
  await engine.retain()
  const stored = disk.list('/data/models').length
  expect(stored).toBeGreaterThanOrEqual(10)
  expect(stored).toBeLessThan(30)
})

test('retention beside a publish never takes the package that is about to be referred to', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk })
  for (let n = 0; n < 20; n++) {
    const publishing = engine.publish(testPackage(`${n}`))
    await engine.retain()
    await publishing
    expect(disk.exists(`/data/models/${sha256Of(testPackage(`${n}`))}.mwmodel`)).toBe(true)
  }
})
