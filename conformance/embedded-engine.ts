import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, type Disk, decodeUtf8, type LoadedModel, outputTopics, type Plan } from '@millwright/core'
import { type AcceptedModel, type Engine, openEngine, openTopicReader, sha256Of } from '@millwright/engine'
import { createDoor } from '@millwright/gateways'
import { createPartitionOperator } from '@millwright/operators'
import {
  type ConformanceEngine,
  constantModel,
  kernelDecoder,
  MemoryDisk,
  offsetsOf,
  type RunResult,
  type Step,
  type StepModel,
  type StepOutput,
} from '@millwright/testkit'

/**
 * Runs scripts through the embedded engine as a plant runs: every line into a partition's log, every output read back from
 * the logs of the topics. Append times are the engine's clock, which stands where the script is.
 *
 * B1. The next step begins when everything that the step before caused is durable: so each message's step is known.
 * B2. A step that the engine cannot take as it is (bounded input's end, no append time) is refused, never passed over.
 */

/** Loads what {@link packageOf} makes. */
export function loadStepModel(plan: Plan, bytes: Uint8Array): LoadedModel {
  const model = JSON.parse(decodeUtf8(bytes) ?? '') as StepModel
  const featureNames = plan.features.map(({ name }) => name)
  return { ...constantModel(model, featureNames), sha256: sha256Of(bytes) }
}

/** One partition, its operator in this thread, its files in memory. */
export function createMemoryEngine(): ConformanceEngine {
  return { name: 'embedded', run: (plan, steps) => new EmbeddedRun(plan, inlineHome(plan)).run(steps) }
}

/** The same, with the power cut after every step; every second time a snapshot was taken before. */
export function createPowerCutEngine(): ConformanceEngine {
  return {
    name: 'embedded with the power cut after every step',
    run: (plan, steps) => {
      const home = inlineHome(plan)
      return new EmbeddedRun(plan, home, (index) => home.cutPower(index)).run(steps)
    },
  }
}

/** Two partitions in a worker thread, files in a folder that is removed at the end, lines by way of the door. */
export function createWorkerEngine(scriptPath: string): ConformanceEngine {
  return {
    name: 'embedded with the door, two partitions and a worker thread',
    run: async (plan, steps) => {
      const directory = mkdtempSync(join(tmpdir(), 'millwright-conformance-'))
      const module = new URL('./embedded-worker.ts', import.meta.url)
      const operators = { mode: 'workers', module, workerData: { scriptPath }, workerCount: 1 } as const
      try {
        return await new EmbeddedRun(plan, { directory, disk: () => undefined, partitionCount: 2, operators }).run(
          steps,
        )
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    },
  }
}

/** Where the engine of a run lives. */
interface Home {
  readonly directory: string
  /** The disk at this moment; `undefined`: the real one. */
  readonly disk: () => Disk | undefined
  readonly partitionCount: number
  readonly operators: Parameters<typeof openEngine>[0]['operators']
}

function inlineHome(plan: Plan): Home & { readonly cutPower: (seed: number) => void } {
  let memory = new MemoryDisk()
  return {
    directory: '/data',
    disk: () => memory,
    partitionCount: 1,
    operators: {
      mode: 'inline',
      createOperator: (_partition, sink) => createPartitionOperator({ plan, decoder: kernelDecoder(plan), sink }),
      loadModel: (_sha256, bytes) => loadStepModel(plan, bytes),
    },
    cutPower: (seed) => {
      memory = memory.afterPowerCut(seed)
    },
  }
}

class EmbeddedRun {
  readonly #plan: Plan
  readonly #home: Home
  readonly #cutPower: ((seed: number) => void) | null
  readonly #outputs: StepOutput[] = []
  /** Next offset to read, by topic and partition. */
  readonly #readThrough = new Map<string, number>()
  #nowMs = 0

  constructor(plan: Plan, home: Home, cutPower: ((seed: number) => void) | null = null) {
    this.#plan = plan
    this.#home = home
    this.#cutPower = cutPower
  }

  async run(steps: readonly Step[]): Promise<RunResult> {
    this.#nowMs = appendTimeOf(steps[0]) - 1
    let engine = await this.#open()
    try {
      for (const [index, step] of steps.entries()) {
        if (step.kind === 'heartbeat') engine = await this.#heartbeat(engine, step.appendTimeMs)
        else {
          this.#nowMs = appendTimeOf(step)
          await this.#take(engine, step)
        }
        await engine.drained()
        this.#readOutputs(index)
        if (this.#cutPower === null) continue
        if (index % 2 === 1) await engine.snapshot()
        // What is cut off is a copy: the engine before ends by itself, and nothing of its tidy end is seen again.
        this.#cutPower(index)
        await engine.close()
        engine = await this.#open()
        await engine.drained()
      }
      return { outputs: this.#outputs, counters: engine.stats().counters }
    } finally {
      await engine.close()
    }
  }

  async #open(): Promise<Engine> {
    const { directory, disk, partitionCount, operators } = this.#home
    const made = disk()
    return await openEngine({
      directory,
      partitionCount,
      identity: 'script',
      operators,
      validateModel: (bytes) => acceptedOf(loadStepModel(this.#plan, bytes)),
      retention: this.#plan.retention,
      diskReserveBytes: 0,
      heartbeatEveryMs: 0,
      clock: { nowMs: () => this.#nowMs },
      ticks: 'manual',
      ...(made === undefined ? {} : { disk: made }),
    })
  }

  /** Returns the engine to go on with: one that has been idle for long writes heartbeats seldom, a new one need not wait. */
  async #heartbeat(engine: Engine, appendTimeMs: number): Promise<Engine> {
    const beforeMs = this.#nowMs
    this.#nowMs = appendTimeMs
    if (await wroteHeartbeat(engine)) return engine
    // A tidy end has an append time too: it must not be that of the heartbeat.
    this.#nowMs = beforeMs
    await engine.close()
    const opened = await this.#open()
    this.#nowMs = appendTimeMs
    assert(await wroteHeartbeat(opened), 'an engine that was just opened writes a heartbeat when time has come to it')
    return opened
  }

  async #take(engine: Engine, step: Exclude<Step, { readonly kind: 'heartbeat' }>): Promise<void> {
    switch (step.kind) {
      case 'readings':
      case 'events': {
        const topic = step.kind === 'readings' ? 'sensor-data' : 'device-events'
        await engine.append(topic, this.#parts(step))
        return
      }
      case 'activate':
        await engine.publish(packageOf(step.model), { activeFromMs: step.activeFromMs })
        return
      case 'end':
        assert(false, 'the input of a plant does not end (B2)')
    }
  }

  #parts(step: Step & { readonly bytes: Uint8Array }): Parameters<Engine['append']>[1] {
    const { partitionCount } = this.#home
    if (partitionCount === 1) return [{ partition: 0, lines: step.bytes, lineCount: offsetsOf(step) }]
    const devicesMax = 100
    const { channels, time } = this.#plan
    const decoder = kernelDecoder({ ...this.#plan, channels, time: { ...time, devicesMax } })
    const door = createDoor({ decoder, devicesMax, partitionCount })
    return (step.kind === 'readings' ? door.readings(step.bytes) : door.deviceEvents(step.bytes)).parts
  }

  #readOutputs(step: number): void {
    const { directory, disk, partitionCount } = this.#home
    const made = disk()
    for (const topic of outputTopics)
      for (let partition = 0; partition < partitionCount; partition++) {
        const place = `${topic} ${partition}`
        const fromOffset = this.#readThrough.get(place) ?? 0
        const reader = openTopicReader({
          directory,
          topic,
          partition,
          fromOffset,
          ...(made === undefined ? {} : { disk: made }),
        })
        for (const { key, value, offset } of reader) {
          this.#outputs.push({ topic, deviceId: key, line: Buffer.from(value).toString(), step })
          this.#readThrough.set(place, offset + 1)
        }
        reader.close()
      }
  }
}

/** Whether a tick wrote a heartbeat in every partition. */
async function wroteHeartbeat(engine: Engine): Promise<boolean> {
  const endOffsets = (): number[] => engine.stats().partitions.map(({ endOffset }) => endOffset)
  const before = endOffsets()
  engine.tick()
  // A tick only begins to write.
  await engine.drained()
  return endOffsets().every((end, partition) => end === (before[partition] ?? 0) + 1)
}

function packageOf(model: StepModel): Uint8Array {
  return Buffer.from(JSON.stringify(model))
}

function acceptedOf({ name, version, sha256 }: LoadedModel): AcceptedModel {
  return { name, version, sha256 }
}

/** @throws {Error} Where a step has none (B2). */
function appendTimeOf(step: Step | undefined): number {
  assert(step !== undefined && step.kind !== 'end', 'the input of a plant does not end (B2)')
  assert(!Number.isNaN(step.appendTimeMs), 'every record of a log has an append time (B2)')
  return step.appendTimeMs
}
