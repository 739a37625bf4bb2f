import { type OutputTopic, outputTopics, partitionOf } from '@millwright/core'
import { MemoryDisk } from '@millwright/testkit'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { Engine } from './engine.ts'
import { sha256Of } from './model-store.ts'
import { openEngine } from './open-engine.ts'
import { testPackage } from './testing/sum-operator.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'
import { ManualClock, openTestEngine } from './testing/test-engine.ts'
import { openTopicReader } from './topic-reader.ts'

/**
 * Method: a history of readings and events of some devices is appended under two ways of running (partitions, sizes of
 * appends, slices of segments, restarts, snapshots, threads). Per device, the values on each topic must be the same. Dead
 * letters have no device here and are compared as a multiset.
 */
interface Step {
  readonly device: number
  readonly text: string
}

interface Way {
  readonly partitionCount: number
  /** Steps per append. */
  readonly appendSizes: readonly number[]
  readonly restartAfter: readonly number[]
  readonly snapshotAfter: readonly number[]
  readonly segmentBytesMax: number
}

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ device: fc.nat(6), text: fc.nat(99).map(String) }) },
  { weight: 1, arbitrary: fc.record({ device: fc.nat(6), text: fc.constant('reset') }) },
  { weight: 1, arbitrary: fc.record({ device: fc.nat(6), text: fc.constant('not a number') }) },
)

const anyWay: fc.Arbitrary<Way> = fc.record({
  partitionCount: fc.integer({ min: 1, max: 5 }),
  appendSizes: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
  restartAfter: fc.array(fc.nat(30), { maxLength: 2 }),
  snapshotAfter: fc.array(fc.nat(30), { maxLength: 3 }),
  segmentBytesMax: fc.integer({ min: 500, max: 5000 }),
})

async function appendSteps(engine: Engine, steps: readonly Step[], partitionCount: number): Promise<void> {
  // Events and readings of one device keep their order: each goes on before the next kind begins.
  for (let at = 0; at < steps.length; ) {
    const isEvent = (step: Step | undefined): boolean => step?.text === 'reset'
    const end = steps.findIndex((step, index) => index > at && isEvent(step) !== isEvent(steps[at]))
    const run = steps.slice(at, end === -1 ? steps.length : end)
    const lines = new Map<number, string[]>()
    for (const { device, text } of run) {
      const partition = partitionOf(`d${device}`, partitionCount)
      lines.set(partition, [...(lines.get(partition) ?? []), `d${device} ${text}`])
    }
    await engine.append(
      isEvent(run[0]) ? 'device-events' : 'sensor-data',
      [...lines].map(([partition, texts]) => ({
        partition,
        lines: Buffer.from(texts.join('\n')),
        lineCount: texts.length,
      })),
    )
    at += run.length
  }
}

async function runWay(steps: readonly Step[], way: Way, reopen: () => Promise<Engine>): Promise<void> {
  let engine = await reopen()
  if (engine.listModels().length === 0) await engine.publish(testPackage('1'), { activeFromMs: 0 })
  let at = 0
  for (let append = 0; at < steps.length; append++) {
    const size = way.appendSizes[append % way.appendSizes.length] ?? 1
    await appendSteps(engine, steps.slice(at, at + size), way.partitionCount)
    at += size
    if (way.snapshotAfter.includes(append)) await engine.snapshot()
    if (!way.restartAfter.includes(append)) continue
    await engine.close()
    engine = await reopen()
  }
  await engine.drained()
  await engine.close()
}

/** Values by topic and device, in order. */
function outputsByDevice(read: (topic: OutputTopic) => Iterable<{ key: string | null; value: Uint8Array }>) {
  const outputs: Record<string, string[]> = {}
  for (const topic of outputTopics) {
    for (const { key, value } of read(topic)) {
      const values = outputs[`${topic} ${key}`] ?? []
      outputs[`${topic} ${key}`] = [...values, Buffer.from(value).toString()]
    }
    outputs[`${topic} null`]?.sort()
  }
  return outputs
}

async function inMemory(steps: readonly Step[], way: Way) {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const { partitionCount, segmentBytesMax } = way
  await runWay(steps, way, () => openTestEngine({ disk, clock, partitionCount, segmentBytesMax, silentAfterMs: 1e12 }))
  return outputsByDevice((topic) => openTopicReader({ directory: '/data', topic, disk }))
}

test('outputs per device do not depend on partitions, sizes of appends and segments, restarts or snapshots', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { minLength: 20, maxLength: 200 }),
      anyWay,
      anyWay,
      async (steps, one, other) => {
        expect(await inMemory(steps, one)).toEqual(await inMemory(steps, other))
      },
    ),
    { seed: 7, numRuns: 30 },
  )
})

test('outputs per device do not depend on the number of threads', async () => {
  const steps = fc.sample(anyStep, { seed: 8, numRuns: 400 })
  const way: Way = {
    partitionCount: 4,
    appendSizes: [13],
    restartAfter: [11],
    snapshotAfter: [5],
    segmentBytesMax: 3000,
  }
  const expected = await inMemory(steps, way)
  for (const workerCount of [1, 3]) {
    const directory = temporaryFolder(onTestFinished)
    const module = new URL('./testing/sum-worker.ts', import.meta.url)
    await runWay(steps, way, () =>
      openEngine({
        directory,
        partitionCount: way.partitionCount,
        segmentBytesMax: way.segmentBytesMax,
        identity: 'sums',
        operators: { mode: 'workers', module, workerData: null, workerCount },
        validateModel: (bytes) => ({ name: 'sums', version: '1', sha256: sha256Of(bytes) }),
      }),
    )
    expect(outputsByDevice((topic) => openTopicReader({ directory, topic }))).toEqual(expected)
  }
})
