import {
  assert,
  type DeadLetterReason,
  type DevicePresence,
  deadLetterLine,
  isHeartbeatDevice,
  type LoadedModel,
  type OutputSink,
  type OutputTopic,
  type Plan,
  type RefusedBytes,
  type TopicName,
} from '@millwright/core'
import { emissions, emittedEnd, emittedStart, windowEnd, windowReadings, windowStart } from '@millwright/kernels'
import { type Counters, deadLetterCounter } from '../counters.ts'
import type { DeviceTable } from '../device-table.ts'
import type { FeatureProgram } from '../features/feature-program.ts'
import type { RetractableSink } from '../hosted-operator.ts'
import type { ModelsInForce } from '../models-in-force.ts'
import { flagChanged, type WindowStore } from '../windows/window-store.ts'
import {
  alertSignalLine,
  deviceFeaturesLine,
  deviceStatusLine,
  lateReadingLine,
  objectPrinter,
  type WindowIdentity,
  whyJson,
} from './messages.ts'

/** Windows that are scored in one call, fewer where they have many features: bounds what is pending, not what is promised. */
const pendingWindowsMax = 1024
const pendingValuesMax = 65_536
/** Messages that wait. */
const pendingLinesMax = 8192

interface PendingLine {
  readonly topic: OutputTopic
  readonly deviceId: string | null
  readonly inputOffset: number
  readonly line: string
}

/** A window that waits to be scored: its line on `alert-signals` is written at {@link ResultWriter.flush}. */
interface PendingAlert {
  readonly deviceId: string
  readonly inputOffset: number
  readonly window: WindowIdentity
  readonly featuresJson: string
  readonly model: LoadedModel
  /** Row of its features among the pending ones. */
  readonly row: number
}

/**
 * Turns windows and troubles into messages, and hands them to the sink in the order they came about.
 *
 * O1. A window's features are calculated when it closes; only its score waits, together with others', for the next flush.
 * O2. Messages leave in the order of their causes: a window's features before its alert, an earlier record's before a later
 *     one's. How many were scored together cannot be seen in them.
 * O3. The model is chosen when the window closes, by the append time at which it closed.
 */
export class ResultWriter {
  readonly #plan: Plan
  readonly #sink: OutputSink
  readonly #counters: Counters
  readonly #devices: DeviceTable
  readonly #store: WindowStore
  readonly #program: FeatureProgram
  readonly #models: ModelsInForce
  readonly #deviceId: (device: number) => string
  readonly #printFeatures: (values: Float64Array) => string
  readonly #featureNames: readonly string[]
  readonly #printChannels: (values: Float64Array) => string
  /** Features of the window at hand. */
  readonly #features: Float64Array
  /** Windows that may wait to be scored. */
  readonly #rowsMax: number
  readonly #pending: (PendingLine | PendingAlert)[] = []
  /** Messages handed to the sink so far. */
  #emitted = 0
  /** Features of the pending windows, row after row. */
  readonly #pendingFeatures: Float64Array
  #pendingRows = 0
  /** Rows of one model on their way through its scorer, their probabilities, and all pending windows' probabilities. */
  readonly #rows: Float32Array
  readonly #scores: Float32Array
  readonly #probabilities: Float32Array

  constructor(options: {
    readonly plan: Plan
    readonly sink: OutputSink
    readonly counters: Counters
    readonly devices: DeviceTable
    readonly store: WindowStore
    readonly program: FeatureProgram
    readonly models: ModelsInForce
    readonly deviceId: (device: number) => string
  }) {
    this.#plan = options.plan
    this.#sink = options.sink
    this.#counters = options.counters
    this.#devices = options.devices
    this.#store = options.store
    this.#program = options.program
    this.#models = options.models
    this.#deviceId = options.deviceId
    this.#featureNames = options.plan.features.map(({ name }) => name)
    this.#printFeatures = objectPrinter(this.#featureNames)
    this.#printChannels = objectPrinter(options.plan.channels.map(({ name }) => name))
    const width = this.#featureNames.length
    this.#rowsMax = Math.min(pendingWindowsMax, Math.ceil(pendingValuesMax / width))
    this.#features = new Float64Array(width)
    this.#pendingFeatures = new Float64Array(width * this.#rowsMax)
    this.#rows = new Float32Array(width * this.#rowsMax)
    this.#scores = new Float32Array(this.#rowsMax)
    this.#probabilities = new Float32Array(this.#rowsMax)
  }

  /** Whether something waits for {@link flush}. */
  get hasPending(): boolean {
    return this.#pending.length > 0
  }

  /**
   * Gives a window's next result.
   *
   * @param closedAtMs Append time that decides the model: of the record that closed it, or the deadline of a silence.
   */
  window(device: number, slot: number, closedAtMs: number, inputOffset: number): void {
    const store = this.#store
    this.#program.evaluate(device, slot, this.#features)
    const deviceId = this.#deviceId(device)
    const revision = store.int(slot, emissions)
    const window = {
      deviceIdJson: JSON.stringify(deviceId),
      startMs: store.float(slot, windowStart),
      endMs: store.float(slot, windowEnd),
      revision,
    }
    store.setInt(slot, emissions, revision + 1)
    store.setFlag(slot, flagChanged, false)
    store.setFloat(slot, emittedStart, window.startMs)
    this.#devices.setFloat(device, emittedEnd, Math.max(this.#devices.float(device, emittedEnd), window.endMs))
    // The plant's own device is counted apart: what is said of machines stays true of machines.
    const isHeartbeat = isHeartbeatDevice(deviceId)
    if (isHeartbeat) this.#counters.add('heartbeat_windows_total')
    else this.#counters.add(revision === 0 ? 'windows_closed_total' : 'window_revisions_total')

    const featuresJson = this.#printFeatures(this.#features)
    const readingCount = store.float(slot, windowReadings)
    this.#put('device-features', deviceId, inputOffset, deviceFeaturesLine(window, readingCount, featuresJson))
    const model = this.#models.at(closedAtMs)
    if (model === null) {
      if (!isHeartbeat) this.#counters.add('windows_unscored_total')
      return
    }
    const row = this.#pendingRows
    this.#pendingFeatures.set(this.#features, row * this.#features.length)
    this.#pendingRows += 1
    this.#pending.push({ deviceId, inputOffset, window, featuresJson, model, row })
    if (this.#pendingRows === this.#rowsMax) this.flush()
  }

  /** @param values One per channel, NaN = missing. */
  lateReading(device: number, timestampMs: number, clockMs: number, values: Float64Array, inputOffset: number): void {
    const deviceId = this.#deviceId(device)
    this.#counters.add('late_readings_total')
    const line = lateReadingLine(deviceId, timestampMs, clockMs, this.#printChannels(values))
    this.#put('late-readings', deviceId, inputOffset, line)
  }

  deadLetter(
    letter: {
      readonly reason: DeadLetterReason
      readonly message: string
      readonly topic: TopicName
      readonly deviceId: string | null
      readonly record: RefusedBytes
    },
    inputOffset: number,
  ): void {
    this.#counters.add(deadLetterCounter(letter.reason))
    this.#put('dead-letters', letter.deviceId, inputOffset, deadLetterLine(letter))
  }

  deviceStatus(device: number, kind: DevicePresence['kind'], atMs: number, inputOffset: number): void {
    const deviceId = this.#deviceId(device)
    this.#put('device-status', deviceId, inputOffset, deviceStatusLine(deviceId, kind, atMs))
  }

  /** Scores the windows that wait and hands everything to the sink. */
  flush(): void {
    this.#score()
    for (const output of this.#pending) {
      if ('line' in output) this.#sink.emit(output.topic, output.deviceId, output.inputOffset, output.line)
      else this.#sink.emit('alert-signals', output.deviceId, output.inputOffset, this.#alertLine(output))
    }
    this.#emitted += this.#pending.length
    this.#pending.length = 0
    this.#pendingRows = 0
  }

  /** Where the messages have come to, for {@link undo}. */
  mark(): number {
    return this.#emitted + this.#pending.length
  }

  /** Takes back the messages since a mark; those that the sink has already it must give back. */
  undo(mark: number): void {
    if (mark < this.#emitted) {
      const { retract } = this.#sink as Partial<RetractableSink>
      assert(retract !== undefined, 'a sink of a host that undoes records can give messages back')
      retract.call(this.#sink, this.#emitted - mark)
      this.#emitted = mark
    }
    for (const undone of this.#pending.splice(mark - this.#emitted)) if (!('line' in undone)) this.#pendingRows -= 1
  }

  #put(topic: OutputTopic, deviceId: string | null, inputOffset: number, line: string): void {
    this.#pending.push({ topic, deviceId, inputOffset, line })
    if (this.#pending.length >= pendingLinesMax) this.flush()
  }

  /** Fills `#probabilities` for all pending windows: the rows of one model at a time. */
  #score(): void {
    if (this.#pendingRows === 0) return
    const rowsByModel = new Map<LoadedModel, number[]>()
    for (const output of this.#pending) {
      if ('line' in output) continue
      const rows = rowsByModel.get(output.model)
      if (rows === undefined) rowsByModel.set(output.model, [output.row])
      else rows.push(output.row)
    }
    const width = this.#features.length
    for (const [model, rows] of rowsByModel) {
      for (const [index, row] of rows.entries())
        this.#rows.set(this.#pendingFeatures.subarray(row * width, (row + 1) * width), index * width)
      model.scorer.score(this.#rows, rows.length, this.#scores)
      for (const [index, row] of rows.entries()) this.#probabilities[row] = this.#scores[index] as number
    }
  }

  #alertLine({ deviceId, row, model, window, featuresJson }: PendingAlert): string {
    const probability = this.#probabilities[row] as number
    assert(!Number.isNaN(probability), `the model ${model.name} ${model.version} answers each row with a number`)
    // A float32 widened to a double, against a double: the threshold 0.8 is not rounded to float32 first.
    const high = probability > (this.#plan.alert.threshold ?? model.threshold)
    if (!isHeartbeatDevice(deviceId)) this.#counters.add(high ? 'alerts_high_total' : 'alerts_normal_total')
    let why: string | null = null
    if (high) {
      const width = this.#features.length
      const values = this.#pendingFeatures.subarray(row * width, (row + 1) * width)
      const contributions = model.scorer.contributions(Float32Array.from(values))
      why = whyJson(this.#featureNames, values, contributions, this.#plan.alert.whyMax)
    }
    return alertSignalLine(window, model, probability, featuresJson, why)
  }
}
