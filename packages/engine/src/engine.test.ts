import { outputTopics } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { poison } from './testing/sum-operator.ts'
import {
  closingTestEngines,
  freshOutputs,
  ManualClock,
  openTestEngine,
  part,
  storedLines,
  storedOutputs,
  storedTimes,
  type TestEngineOptions,
} from './testing/test-engine.ts'

const open = closingTestEngines(afterEach)

function expectOutputsOfFreshRun(disk: MemoryDisk | FaultDisk): void {
  for (const partition of [0, 1])
    for (const topic of outputTopics)
      expect(storedOutputs(disk, topic, partition)).toEqual(freshOutputs(disk, partition).get(topic))
}

async function feed(engine: Engine, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++)
    await engine.append('sensor-data', [part(0, `a ${n}`, `b ${n}`, 'bad'), part(1, `c ${n}`)])
}

/** Lets everything run that waits for a turn of the event loop, until `isDone`. */
async function turnsUntil(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve))
}

test('outputs equal those of the operator alone, also over clean restarts', async () => {
  const disk = new MemoryDisk()
  for (let run = 0; run < 3; run++) {
    const engine = await open({ disk })
    await feed(engine, 10 * run, 10 * run + 10)
    await engine.append('device-events', [part(0, 'a reset', 'nonsense')])
    await engine.drained()
    await engine.close()
  }
  expectOutputsOfFreshRun(disk)
  expect(storedOutputs(disk, 'alert-signals', 1).length).toBeGreaterThan(4)
})

test('an output has the append time of what caused it, live and when everything is processed anew at once (H5)', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const live = await open({ disk, clock })
  for (let n = 0; n < 20; n++) {
    await feed(live, n, n + 1)
    clock.advance(10)
  }
  await live.close()
  const anew = new MemoryDisk()
  for (const [path, bytes] of disk.files()) if (!/\/(?:output|state)\//.test(path)) anew.place(path, bytes)
  await (await open({ disk: anew, clock })).close()
  for (const topic of ['alert-signals', 'device-features', 'dead-letters'] as const) {
    const times = storedTimes(disk, topic, 0)
    const ofInput = storedTimes(disk, 'input', 0)
    expect(times.size).toBeGreaterThan(3)
    for (const [inputOffset, timeMs] of times) expect(timeMs).toBe(ofInput.get(inputOffset))
    expect(storedTimes(anew, topic, 0)).toEqual(times)
  }
})

test('after a clean close nothing is processed again', async () => {
  const disk = new MemoryDisk()
  const first = await open({ disk })
  await feed(first, 0, 10)
  await first.close()
  const second = await open({ disk })
  for (const { processedFrom, endOffset, snapshot } of second.recovery.partitions) {
    expect(processedFrom).toBe(endOffset)
    expect(snapshot).toBe(1)
  }
  expect(storedOutputs(disk, 'device-features', 0).length).toBeGreaterThan(0)
})

test('counters go on over a restart', async () => {
  const disk = new MemoryDisk()
  const first = await open({ disk })
  await feed(first, 0, 10)
  await first.close()
  const second = await open({ disk })
  await feed(second, 10, 15)
  await second.drained()
  expect(second.stats().counters).toMatchObject({ readings: 45, deadLetters: 15 })
})

test('subscribers are told of each alert once, in order, when it is durable', async () => {
  const memory = new MemoryDisk()
  const engine = await open({ disk: memory })
  const told: string[] = []
  const lost: string[] = []
  const end = engine.subscribe('alert-signals', ({ partition, value }) => {
    if (partition !== 0) return
    told.push(value)
    const survivors = storedOutputs(memory.afterPowerCut(told.length), 'alert-signals', 0).map((output) => output.value)
    if (!survivors.includes(value)) lost.push(value)
  })
  await feed(engine, 0, 20)
  await engine.drained()
  end()
  await feed(engine, 20, 40)
  await engine.drained()
  const stored = storedOutputs(memory, 'alert-signals', 0).map(({ value }) => value)
  expect(told.length).toBe(8)
  expect(told).toEqual(stored.slice(0, told.length))
  expect(lost).toEqual([])
})

test('an operator that throws stops the plant and names the record; nothing is lost (E2)', async () => {
  const disk = new MemoryDisk()
  let failure: Error | null = null
  const failed = Promise.withResolvers<void>()
  const options: TestEngineOptions = {
    disk,
    onFailure: (error) => {
      failure = error
      failed.resolve()
    },
  }
  const engine = await open(options)
  await feed(engine, 0, 5)
  await engine.drained()
  await engine.snapshot()
  await Promise.all([feed(engine, 5, 6), engine.append('sensor-data', [part(0, 'a 1', 'a 2', `a ${poison}`, 'a 3')])])
  await failed.promise
  const offset = storedLines(disk, 0).findIndex(({ line }) => line.includes(`${poison}`))
  expect(failure).toMatchObject({
    code: 'PARTITION_FAILED',
    details: { topic: 'sensor-data', partition: 0, offset },
    cause: { message: `no sum takes ${poison}` },
  })
  expect(engine.failure).toBe(failure)
  await expect(engine.append('sensor-data', [part(1, 'c 1')])).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  expect(storedLines(disk, 0)).toHaveLength(22)
  // The same record stops the next run, at the same place, and no output has come twice.
  failure = null
  const again = await open(options)
  await turnsUntil(() => again.failure !== null)
  expect(again.failure).toMatchObject({ details: { offset } })
  const before = freshOutputsBefore(disk, offset)
  expect(storedOutputs(disk, 'device-features', 0)).toEqual(before)
})

function freshOutputsBefore(disk: MemoryDisk, offset: number) {
  return storedOutputs(disk, 'device-features', 0).filter(({ inputOffset }, index, all) => {
    const previous = all[index - 1]
    return inputOffset < offset && (previous === undefined || previous.inputOffset <= inputOffset)
  })
}

test.each([
  ['a full disk', { operation: 'write', fault: 'no-space', path: '/output/', count: 3 }],
  ['short writes', { operation: 'write', fault: 'short', path: '/output/', count: 3 }],
  ['failed syncs', { operation: 'sync', fault: 'fail', path: '/output/', count: 3 }],
] as const)('outputs that %s has failed are calculated again, without loss or repetition (H3, R2)', async (_name, fault) => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const clock = new ManualClock()
  const engine = await open({ disk, clock })
  await feed(engine, 0, 7)
  await engine.drained()
  await engine.snapshot()
  disk.fail(fault)
  await feed(engine, 7, 30)
  await turnsUntil(() => engine.stats().partitions.some(({ stalled }) => stalled !== null))
  // The door is open meanwhile: what comes waits in the log.
  await feed(engine, 30, 40)
  const drained = engine.drained()
  let isDrained = false
  void drained.then(() => {
    isDrained = true
  })
  while (!isDrained) {
    clock.advance(10_000)
    engine.tick()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(engine.stats().partitions.every(({ stalled }) => stalled === null)).toBe(true)
  expectOutputsOfFreshRun(disk)
  // What the failed disk still showed was not believed.
  await engine.snapshot()
  const next = await open({ disk: memory.afterPowerCut(1) })
  await next.drained()
  expectOutputsOfFreshRun(memory.afterPowerCut(1))
})

test('a snapshot that fails is counted, and the next one makes up for it', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const engine = await open({ disk })
  await feed(engine, 0, 5)
  await engine.drained()
  disk.fail({ operation: 'write', fault: 'no-space', path: '/state/0' })
  await engine.snapshot()
  expect(engine.stats().partitions.map(({ snapshot }) => [snapshot.count, snapshot.failedCount])).toEqual([
    [0, 1],
    [1, 0],
  ])
  await engine.snapshot()
  expect(engine.stats().partitions[0]?.snapshot).toMatchObject({ count: 1, failedCount: 1, ageMs: 0 })
  await engine.close()
  const next = await open({ disk })
  expect(next.recovery.partitions[0]?.processedFrom).toBe(15)
})

test('another identity starts empty at the first record that left no output, and says so', async () => {
  const disk = new MemoryDisk()
  const first = await open({ disk })
  await feed(first, 0, 10)
  await first.close()
  const before = storedOutputs(disk, 'device-features', 0)
  const second = await open({ disk, identity: 'sums-2' })
  expect(second.recovery.partitions[0]).toMatchObject({ previousIdentity: 'sums-1', processedFrom: 30, endOffset: 30 })
  await feed(second, 10, 13)
  await second.drained()
  const added = storedOutputs(disk, 'device-features', 0).slice(before.length)
  expect(added[0]).toMatchObject({ inputOffset: 36, value: '{"deviceId":"a","count":3,"sum":33,"half":1}' })
  await second.close()
  const third = await open({ disk, identity: 'sums-2' })
  expect(third.recovery.partitions[0]).toMatchObject({ previousIdentity: null, processedFrom: 39 })
})

test('another identity after a crash goes on behind the outputs of the old one, and none comes twice', async () => {
  const disk = new MemoryDisk()
  const first = await openTestEngine({ disk })
  await first.snapshot()
  await feed(first, 0, 10)
  await first.drained()
  const before = storedOutputs(disk, 'device-features', 0)
  disk.killProcess()
  const second = await open({ disk, identity: 'sums-2' })
  await second.drained()
  const places = storedOutputs(disk, 'device-features', 0).map(({ inputOffset, index }) => inputOffset * 10 + index)
  expect(places.slice(0, before.length)).toEqual(before.map(({ inputOffset, index }) => inputOffset * 10 + index))
  expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
})

test('an append is refused while too much waits to be synced; ready() says when it is not', async () => {
  const engine = await open({ disk: new MemoryDisk(), unsyncedBytesMax: 1000 })
  const first = engine.append('sensor-data', [part(0, `a ${'1'.repeat(900)}`)])
  await expect(engine.append('sensor-data', [part(0, `a ${'1'.repeat(900)}`)])).rejects.toMatchObject({
    code: 'BUSY',
    retry: 'later',
  })
  expect(engine.stats().refusedBusy).toBe(1)
  await engine.ready()
  await first
  await engine.append('sensor-data', [part(0, `a ${'1'.repeat(900)}`)])
})

test('ready() waits for room of the size asked for, in order, and counts what it has let in before', async () => {
  const engine = await open({ disk: new MemoryDisk(), unsyncedBytesMax: 1000 })
  const line = (bytes: number) => [part(0, `a ${'1'.repeat(bytes - 3)}`)]
  const first = engine.append('sensor-data', line(600))
  const told: string[] = []
  const wait = (name: string, byteLength: number) => engine.ready(byteLength).then(() => told.push(name))
  const large = wait('large', 900)
  const small = wait('small', 1)
  const beyond = wait('beyond', 200)
  expect(told).toEqual([])
  await first
  await Promise.all([large, small])
  expect(told).toEqual(['large', 'small'])
  engine.tick()
  await beyond
})

test('a refused append of a source is a gap: what follows is refused too, until the source asks where it stands', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk, unsyncedBytesMax: 1000 })
  const send = (n: number, bytes: number) => {
    const lines = part(0, `a ${String(n).repeat(bytes)}`)
    return engine.append('sensor-data', [{ ...lines, linePositions: Float64Array.of(n) }], { id: 'file', position: n })
  }
  const outcomes = [send(1, 900), send(2, 900), send(3, 1)].map((sent) =>
    sent.then(
      () => 'taken',
      ({ code }) => code,
    ),
  )
  // The third would have fitted.
  expect(await Promise.all(outcomes)).toEqual(['taken', 'BUSY', 'SOURCE_INTERRUPTED'])
  expect(engine.sourcePosition('file')).toBe(1)
  for (const n of [2, 3]) await send(n, 10)
  expect(storedLines(disk, 0).map(({ line }) => line[2])).toEqual(['1', '2', '3'])
})

test('an append is refused while too much waits to be processed; ready() resolves when it is not', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const clock = new ManualClock()
  const engine = await open({ disk, clock, backlogBytesMax: 2000 })
  await feed(engine, 0, 3)
  await engine.drained()
  // Outputs that cannot be written hold the processing up.
  disk.fail({ operation: 'write', fault: 'no-space', path: '/output/', count: Number.POSITIVE_INFINITY })
  let accepted = 0
  const refused = await (async () => {
    for (;;) {
      await feed(engine, 0, 1)
      accepted += 1
    }
  })().catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'BUSY' })
  expect(accepted).toBeLessThan(40)
  expect(engine.stats().backlogBytes).toBeGreaterThan(2000)
  disk.heal()
  let isReady = false
  void engine.ready().then(() => {
    isReady = true
  })
  while (!isReady) {
    clock.advance(10_000)
    engine.tick()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await engine.drained()
  expectOutputsOfFreshRun(disk)
})

test('a nearly full disk is refused at the door, with everything accepted still processed, and recovers', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const clock = new ManualClock()
  const engine = await open({ disk, clock, diskReserveBytes: 100_000 })
  disk.limitRoom(130_000)
  let accepted = 0
  const refused = await (async () => {
    for (;;) {
      await engine.append('sensor-data', [part(0, `a ${'1'.repeat(2000)}`), part(1, 'c 1')])
      accepted += 1
      clock.advance(100)
    }
  })().catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'DISK_FULL', retry: 'later', details: { reserveBytes: 100_000 } })
  await engine.drained()
  expect(storedLines(disk, 0)).toHaveLength(accepted)
  expectOutputsOfFreshRun(disk)
  expect(engine.stats().refusedDiskFull).toBe(1)
  disk.heal()
  clock.advance(2000)
  await engine.ready()
  await engine.append('sensor-data', [part(0, 'a 1')])
})

test('a disk that is full without warning rejects the append; nothing acknowledged is lost', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const engine = await open({ disk, diskReserveBytes: 0 })
  await feed(engine, 0, 5)
  disk.limitRoom(40)
  await expect(feed(engine, 5, 6)).rejects.toMatchObject({ code: 'DISK_FULL', retry: 'later' })
  disk.heal()
  await turnsUntil(() => engine.stats().unsyncedBytes === 0)
  await feed(engine, 6, 8)
  expect(storedLines(disk, 0).filter(({ line }) => line.startsWith('a'))).toHaveLength(7)
})

test('a source whose append failed must ask where it stands; then it goes on without gap or repetition', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const clock = new ManualClock()
  const engine = await open({ disk, clock })
  const chunk = (n: number) => [
    { ...part(0, `a ${n}`), linePositions: Float64Array.of(2 * n + 1) },
    { ...part(1, `b ${n}`), linePositions: Float64Array.of(2 * n + 2) },
  ]
  const send = (n: number): Promise<void> => engine.append('sensor-data', chunk(n), { id: 'file', position: 2 * n + 2 })
  await send(0)
  disk.fail({ operation: 'sync', fault: 'fail', path: '/input/1' })
  await expect(send(1)).rejects.toMatchObject({ code: 'DISK_FAILED' })
  await expect(send(2)).rejects.toMatchObject({ code: 'SOURCE_INTERRUPTED', retry: 'now' })
  expect(engine.sourcePosition('file')).toBe(2)
  for (const n of [1, 2, 3]) await send(n)
  expect(engine.sourcePosition('file')).toBe(8)
  for (const partition of [0, 1])
    expect(storedLines(disk, partition).map(({ line }) => line.slice(2))).toEqual(['0', '1', '2', '3'])
  expect(engine.stats().suppressedLines).toBe(1)
  await engine.close()
  const next = await open({ disk })
  expect(next.sourcePosition('file')).toBe(8)
  expect(next.sourcePosition('another')).toBe(0)
})

test('silence is told by heartbeats where nothing comes any more', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock, silentAfterMs: 5000 })
  await engine.append('sensor-data', [part(0, 'a 1')])
  for (let second = 0; second < 6; second++) {
    clock.advance(1000)
    engine.tick()
    await engine.drained()
  }
  const told = storedOutputs(disk, 'device-status', 0).map(({ value }) => value)
  expect(told).toEqual([JSON.stringify({ deviceId: 'a', kind: 'device-silent', at: 1_766_000_005_000 })])
})

test('silence is told while other devices of the partition go on sending', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock, silentAfterMs: 5000 })
  await engine.append('sensor-data', [part(0, 'a 1')])
  for (let half = 0; half < 14; half++) {
    clock.advance(500)
    await engine.append('sensor-data', [part(0, 'b 1')])
    engine.tick()
    await engine.drained()
  }
  const told = storedOutputs(disk, 'device-status', 0).map(({ value }) => value)
  expect(told).toEqual([JSON.stringify({ deviceId: 'a', kind: 'device-silent', at: 1_766_000_005_000 })])
})

test('snapshots are taken by time, and only where something was processed', async () => {
  const clock = new ManualClock()
  const engine = await open({ disk: new MemoryDisk(), clock, snapshotEveryMs: 10_000, heartbeatEveryMs: 1e9 })
  const counts = (): number[] => engine.stats().partitions.map(({ snapshot }) => snapshot.count)
  await engine.append('sensor-data', [part(0, 'a 1')])
  await engine.drained()
  for (let second = 0; second < 30; second++) {
    clock.advance(1000)
    engine.tick()
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(counts()).toEqual([1, 0])
})

test('close() rejects what comes later, and a second call waits for the first (E3)', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk })
  const appended = feed(engine, 0, 1)
  await Promise.all([engine.close(), engine.close()])
  await appended
  await expect(feed(engine, 1, 2)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  await expect(engine.ready()).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
  expect(storedLines(disk, 0)).toHaveLength(3)
})

test('stats() says where each partition stands', async () => {
  const engine = await open({ disk: new MemoryDisk() })
  await feed(engine, 0, 4)
  await engine.drained()
  const stats = engine.stats()
  expect(stats.partitions[0]).toMatchObject({
    endOffset: 12,
    durableOffset: 12,
    processedOffset: 12,
    lagRecords: 0,
    lagBytes: 0,
    unsyncedBytes: 0,
    deviceCount: 2,
    stalled: null,
  })
  expect(stats).toMatchObject({ appendedRecords: 16, pendingAppends: 0, unsyncedBytes: 0, backlogBytes: 0 })
  expect(stats.commit.counts.at(-1)).toBe(8)
})
