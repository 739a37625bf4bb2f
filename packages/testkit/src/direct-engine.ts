import {
  type Activation,
  assert,
  type DeviceStateEntry,
  type LoadedModel,
  type OutputTopic,
  type PartitionOperator,
  type Plan,
  type ReadingDecoder,
} from '@millwright/core'
import { createPartitionOperator, createPlainReadingDecoder, createReadingDecoder } from '@millwright/operators'
import { constantModel } from './models.ts'
import {
  type ConformanceEngine,
  offsetsOf,
  type RunResult,
  type Step,
  type StepModel,
  type StepOutput,
} from './steps.ts'

export interface DirectEngineOptions {
  /** Makes the decoder; by default the product's own. */
  readonly createDecoder?: (plan: Plan) => ReadingDecoder
  /** Whether to flush after this step. */
  readonly flushAfter?: (step: number) => boolean
  /** Whether to take a snapshot after this step, and go on with a new operator that has it. */
  readonly restartAfter?: (step: number) => boolean
  /** Whether to hand a step's lines over one by one. */
  readonly lineByLine?: boolean
  /** Loads the model of an activation; by default one that answers as the step says. */
  readonly loadModel?: (model: StepModel) => LoadedModel
}

/** The product's decoder in WebAssembly: what the plant runs with. */
export function kernelDecoder(plan: Plan): ReadingDecoder {
  return createReadingDecoder(decoderOptions(plan))
}

/** The decoder in plain TypeScript: the same readings, quicker to make, for tests that make many. */
export function plainDecoder(plan: Plan): ReadingDecoder {
  return createPlainReadingDecoder(decoderOptions(plan))
}

function decoderOptions({ channels, time }: Plan): Parameters<typeof createReadingDecoder>[0] {
  return { channels: channels.map(({ name }) => name), timestamp: time.timestamp, devicesMax: time.devicesMax }
}

/** Drives the product's operator by hand: no engine, no files, no threads. */
export function createDirectEngine(options: DirectEngineOptions = {}): ConformanceEngine {
  return { name: 'direct', run: (plan, steps) => new DirectRun(plan, options).run(steps) }
}

class DirectRun {
  readonly #plan: Plan
  readonly #options: DirectEngineOptions
  readonly #outputs: StepOutput[] = []
  /** First offset of each step, ascending. */
  readonly #firstOffsets: number[] = []
  readonly #models = new Map<string, LoadedModel>()
  /** Latest state of every device that a snapshot has seen. */
  readonly #states = new Map<string, DeviceStateEntry>()
  #operator: PartitionOperator

  constructor(plan: Plan, options: DirectEngineOptions) {
    this.#plan = plan
    this.#options = options
    this.#operator = this.#newOperator()
  }

  run(steps: readonly Step[]): RunResult {
    let offset = 0
    for (const [index, step] of steps.entries()) {
      this.#firstOffsets.push(offset)
      this.#apply(step, offset)
      offset += offsetsOf(step)
      if (this.#options.flushAfter?.(index) ?? false) this.#operator.flush()
      if (this.#options.restartAfter === undefined) continue
      // A snapshot begins before it is cut: some states are taken ahead, and again where they change.
      this.#operator.flush()
      this.#keep(this.#operator.takeDirty(1))
      if (this.#options.restartAfter(index)) this.#restart()
    }
    this.#operator.flush()
    return { outputs: this.#outputs, counters: this.#operator.counters }
  }

  #apply(step: Step, offset: number): void {
    const operator = this.#operator
    switch (step.kind) {
      case 'readings':
        this.#lines(step.bytes, offset, (bytes, from) => operator.readings(bytes, from, step.appendTimeMs))
        break
      case 'events':
        this.#lines(step.bytes, offset, (bytes, from) => operator.deviceEvents(bytes, from, step.appendTimeMs))
        break
      case 'heartbeat':
        operator.heartbeat(step.appendTimeMs, offset)
        break
      case 'activate':
        operator.activate(this.#activation(step.model, step.activeFromMs, step.appendTimeMs), offset)
        break
      case 'end':
        operator.endOfInput(offset)
        break
    }
  }

  #lines(bytes: Uint8Array, offset: number, take: (bytes: Uint8Array, offset: number) => void): void {
    if (!this.#options.lineByLine) {
      take(bytes, offset)
      return
    }
    let line = 0
    for (let start = 0; start < bytes.length; line++) {
      const newline = bytes.indexOf(10, start)
      const end = newline < 0 ? bytes.length : newline + 1
      take(bytes.subarray(start, end), offset + line)
      start = end
    }
  }

  #activation(model: StepModel, activeFromMs: number, seenAtMs: number): Activation {
    const featureNames = this.#plan.features.map(({ name }) => name)
    const loaded = this.#options.loadModel?.(model) ?? constantModel(model, featureNames)
    this.#models.set(loaded.sha256, loaded)
    return { model: loaded, activeFromMs, seenAtMs }
  }

  #restart(): void {
    this.#operator.flush()
    for (let taken = this.#operator.takeDirty(2); taken.length > 0; taken = this.#operator.takeDirty(2))
      this.#keep(taken)
    const shared = JSON.parse(JSON.stringify(this.#operator.takeShared())) as ReturnType<
      PartitionOperator['takeShared']
    >
    this.#operator = this.#newOperator()
    // In another order than before: nothing may hang on where a device stands in memory.
    for (const entry of [...this.#states.values()].reverse()) this.#operator.restore(entry)
    this.#operator.restoreShared(shared, (sha256) => {
      const model = this.#models.get(sha256)
      assert(model !== undefined, 'a snapshot names models that were activated')
      return model
    })
  }

  #keep(entries: readonly DeviceStateEntry[]): void {
    for (const { deviceId, state } of entries)
      if (state === null) this.#states.delete(deviceId)
      else this.#states.set(deviceId, { deviceId, state: state.slice() })
  }

  #newOperator(): PartitionOperator {
    const plan = this.#plan
    const decoder = (this.#options.createDecoder ?? kernelDecoder)(plan)
    const emit = (topic: OutputTopic, deviceId: string | null, inputOffset: number, line: string): void => {
      const step = this.#firstOffsets.findLastIndex((first) => first <= inputOffset)
      this.#outputs.push({ topic, deviceId, line, step })
    }
    return createPartitionOperator({ plan, decoder, sink: { emit } })
  }
}
