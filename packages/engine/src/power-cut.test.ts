import { type Disk, outputTopics } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { testPackage } from './testing/sum-operator.ts'
import {
  freshOutputs,
  ManualClock,
  openTestEngine,
  part,
  storedActivations,
  storedLines,
  storedOutputs,
} from './testing/test-engine.ts'

/**
 * Method: one short run that uses everything is cut at each of its operations on the disk, one after the other. What the
 * cut leaves (synced bytes, and some sectors of the rest) is opened again, the run's source goes on from where it
 * stands, and then: every acknowledged line is there once, in order, and all outputs equal those of a fresh operator over
 * the whole log. Segments that retention removed are put back first, since the fresh operator must see what was seen.
 */
const lineCount = 60
const silentAfterMs = 40_000
const segmentBytesMax = 700

/** Keeps what retention removes. */
class ArchivingDisk extends FaultDisk {
  readonly archive = new Map<string, Uint8Array>()

  override async unlinkAsync(path: string): Promise<void> {
    if (path.includes('/input/')) this.archive.set(path, readWhole(this, path))
    await super.unlinkAsync(path)
  }
}

interface RunLog {
  /** Highest line acknowledged of the source. */
  acknowledged: number
  readonly told: string[]
  readonly finished: boolean
}

function open(disk: Disk, clock: ManualClock): Promise<Engine> {
  return openTestEngine({
    disk,
    clock,
    silentAfterMs,
    segmentBytesMax,
    heartbeatEveryMs: 5000,
    snapshotEveryMs: 1e9,
    retentionEveryMs: 1e9,
    retention: { readingsMs: 45_000, outputsMs: 1e15, diskBytesMax: 1e15 },
  })
}

/** Lines `from + 1 .. to` of the source; its position after line n is n. */
function lines(from: number, to: number) {
  const parts = [0, 1].map((partition) => {
    const numbers = Array.from({ length: to - from }, (_, i) => from + 1 + i).filter((n) => (n >> 1) % 2 === partition)
    const texts = numbers.map((n) => (n % 11 === 0 ? `bad${n}` : `d${partition}-${n % 3} ${n}`))
    return { ...part(partition, ...texts), linePositions: Float64Array.from(numbers) }
  })
  return parts.filter((p) => p.lineCount > 0)
}

async function feed(engine: Engine, upTo: number, step: number, log: RunLog | null): Promise<void> {
  for (let at = engine.sourcePosition('file'); at < upTo; ) {
    const to = Math.min(at + step, upTo)
    await engine.append('sensor-data', lines(at, to), { id: 'file', position: to })
    if (log !== null) log.acknowledged = to
    at = to
  }
}

/** Unlike `drained`, leaves outputs that no snapshot has passed unsynced. */
async function processed(engine: Engine, disk: FaultDisk): Promise<void> {
  while (!disk.isPowerCut && engine.stats().partitions.some(({ lagRecords }) => lagRecords > 0))
    await new Promise((resolve) => setImmediate(resolve))
}

/** The run: appends, events, silence, models, snapshots, retention, a restart in the middle. */
async function run(disk: ArchivingDisk, log: RunLog): Promise<void> {
  const clock = new ManualClock()
  let engine = await open(disk, clock)
  const listen = (): void => {
    engine.subscribe('alert-signals', ({ partition, value }) => log.told.push(`${partition} ${value}`))
  }
  listen()
  await engine.publish(testPackage('1'), { activeFromMs: 0 })
  await feed(engine, 14, 7, log)
  await engine.append('device-events', [part(0, 'd0-1 reset'), part(1, 'nonsense')])
  await engine.drained()
  await engine.snapshot()
  clock.advance(10_000)
  await feed(engine, 28, 5, log)
  await engine.publish(testPackage('2'))
  clock.advance(45_000)
  engine.tick()
  await engine.drained()
  await engine.snapshot()
  await engine.close()
  engine = await open(disk, clock)
  listen()
  await feed(engine, 45, 9, log)
  await engine.rollback()
  clock.advance(10_000)
  await engine.drained()
  await engine.snapshot()
  await feed(engine, 50, 5, log)
  await processed(engine, disk)
  await engine.snapshot()
  await engine.retain()
  await feed(engine, lineCount, 3, log)
  await engine.drained()
  await engine.close()
}

async function runUntilCut(operation: number): Promise<{ memory: MemoryDisk; disk: ArchivingDisk; log: RunLog }> {
  const memory = new MemoryDisk()
  const disk = new ArchivingDisk(memory)
  disk.cutPowerAt(operation)
  const log: RunLog = { acknowledged: 0, told: [], finished: false }
  // What the cut makes fail is not of interest, nor what then waits for ever.
  await Promise.race([run(disk, log).catch(() => undefined), disk.whenPowerCut])
  return { memory, disk, log }
}

async function verify(image: MemoryDisk, archive: ReadonlyMap<string, Uint8Array>, log: RunLog): Promise<void> {
  const whole = withArchive(image, archive)
  expect(sourceLines(whole).filter((n) => n <= log.acknowledged)).toEqual(range(log.acknowledged))
  const stored = [0, 1].flatMap((p) => storedOutputs(whole, 'alert-signals', p).map(({ value }) => `${p} ${value}`))
  expect(stored).toEqual(expect.arrayContaining(log.told))

  const clock = new ManualClock()
  clock.advance(100_000)
  const engine = await open(image, clock)
  // Another size of step than before: the source may cut its lines anew.
  await feed(engine, lineCount, 4, null)
  await engine.drained()
  await engine.close()

  const after = withArchive(image, archive)
  expect(sourceLines(after)).toEqual(range(lineCount))
  const published = range(engine.listModels().length).map((n) => n - 1)
  for (const partition of [0, 1]) {
    expect(storedActivations(after, partition)).toEqual(published)
    const fresh = freshOutputs(after, partition, { silentAfterMs })
    for (const topic of outputTopics) expect(storedOutputs(after, topic, partition)).toEqual(fresh.get(topic))
  }
}

/** The process is killed only; the next one processes what it finds; then the power is cut. */
async function verifyKillThenCut(
  memory: MemoryDisk,
  archive: ReadonlyMap<string, Uint8Array>,
  log: RunLog,
  seed: number,
): Promise<void> {
  memory.killProcess()
  const clock = new ManualClock()
  clock.advance(100_000)
  const engine = await open(memory, clock)
  await engine.drained()
  await verify(memory.afterPowerCut(seed), archive, log)
}

test('a power cut at every operation loses nothing acknowledged, doubles nothing, and outputs equal a fresh run (E1, H1, H2, O2)', async () => {
  const { disk } = await runUntilCut(Number.POSITIVE_INFINITY)
  const operationCount = disk.operationCount
  expect(operationCount).toBeGreaterThan(200)
  expect(disk.archive.size).toBeGreaterThan(0)
  for (let operation = Number(process.env.FROM ?? 1); operation <= operationCount + 1; operation++) {
    const { memory, disk: cut, log } = await runUntilCut(operation)
    try {
      await verify(memory.afterPowerCut(operation), cut.archive, log)
      if (operation % 4 === 0) await verifyKillThenCut(memory, cut.archive, log, operation)
    } catch (error) {
      throw new Error(`after a cut at operation ${operation} of ${operationCount}`, { cause: error })
    }
  }
}, 120_000)

function sourceLines(disk: Disk): number[] {
  return [0, 1]
    .flatMap((p) => storedLines(disk, p))
    .filter(({ kind }) => kind === 'readings')
    .map(({ line }) => Number(line.startsWith('bad') ? line.slice(3) : line.split(' ')[1]))
    .sort((a, b) => a - b)
}

function range(to: number): number[] {
  return Array.from({ length: to }, (_, i) => i + 1)
}

function withArchive(image: MemoryDisk, archive: ReadonlyMap<string, Uint8Array>): MemoryDisk {
  const whole = image.copy()
  for (const [path, bytes] of archive) if (!whole.exists(path)) whole.place(path, bytes)
  return whole
}

function readWhole(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, 'read')
  const bytes = new Uint8Array(file.size())
  file.read(bytes, 0)
  file.close()
  return bytes
}
