import {
  type AlertCleared,
  assert,
  type DeadLetterReason,
  type DevicePresence,
  deadLetterLine,
  isHeartbeatDevice,
  type LoadedModel,
  type MuteCause,
  type OutputSink,
  type OutputTopic,
  type Plan,
  type RefusedBytes,
  type TopicName,
} from '@millwright/core'
import { emissions, emittedEnd, emittedStart, windowEnd, windowReadings, windowStart } from '@millwright/kernels'
import type { AlertFold } from '../alerts/alert-fold.ts'
import type { AlertPolicies } from '../alerts/alert-policies.ts'
import type { AlertStates } from '../alerts/alert-states.ts'
import type { Mutes } from '../alerts/mutes.ts'
import { type Counters, deadLetterCounter } from '../counters.ts'
import type { DeviceTable } from '../device-table.ts'
import type { FeatureProgram } from '../features/feature-program.ts'
import type { RetractableSink } from '../hosted-operator.ts'
import type { ModelsInForce } from '../models-in-force.ts'
import { flagChanged, type WindowStore } from '../windows/window-store.ts'
import {
  alertClearedLine,
  alertSignalLine,
  deviceFeaturesLine,
  deviceStatusLine,
  lateReadingLine,
  objectPrinter,
  policyKeys,
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
  readonly device: number
  readonly deviceId: string
  readonly inputOffset: number
  readonly window: WindowIdentity
  readonly featuresJson: string
  readonly model: LoadedModel
  /** Row of its features among the pending ones. */
  readonly row: number
  /** Start that the window's result before had; of a revision only. */
  readonly replacesStartMs: number
  readonly muted: MuteCause | null
}

/** The end of an alert that no window brings about: whether one stands is known when the windows before it are scored. */
interface PendingEnd {
  readonly device: number
  readonly deviceId: string
  readonly inputOffset: number
  readonly atMs: number
  readonly ends: AlertCleared['cause']
}

/** What a policy beyond one threshold needs. */
export interface AlertParts {
  readonly policies: AlertPolicies
  readonly states: AlertStates
  readonly fold: AlertFold
  readonly mutes: Mutes
}

/** Where the results stood before a record acted, for {@link ResultWriter.undo}. */
interface ResultMark {
  readonly position: number
  readonly device: number
  /** Messages that the sink got since. */
  messageCount: number
  /** The device's alert there, once something behind the mark has been decided on. */
  alert: Float64Array | null
}

/**
 * Turns windows and troubles into messages, and hands them to the sink in the order they came about.
 *
 * O1. A window's features are calculated when it closes; only its score waits, together with others', for the next flush.
 * O2. Messages leave in the order of their causes: a window's features before its alert, an earlier record's before a later
 *     one's. How many were scored together cannot be seen in them.
 * O3. The model is chosen when the window closes, by the append time at which it closed. So is what mutes it.
 * O4. The alert policy decides at the flush, entry by entry in the same order: its state is as of the last flush.
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
  readonly #alerts: AlertParts | null
  readonly #pending: (PendingLine | PendingAlert | PendingEnd)[] = []
  /** Entries that were pending and are no more. */
  #emitted = 0
  #mark: ResultMark = { position: -1, device: -1, messageCount: 0, alert: null }
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
    /** `null` where each window is judged by itself. */
    readonly alerts: AlertParts | null
  }) {
    this.#alerts = options.alerts
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
    const replacesStartMs = store.float(slot, emittedStart)
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
    const muted = this.#alerts?.mutes.of(device, window.startMs, window.endMs) ?? null
    this.#pending.push({
      device,
      deviceId,
      inputOffset,
      window,
      featuresJson,
      model,
      row,
      replacesStartMs,
      muted,
    })
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

  /** Ends the device's alert, should one stand when what waits before has been decided on. Does nothing without a policy. */
  endAlert(device: number, cause: AlertCleared['cause'], atMs: number, inputOffset: number): void {
    if (this.#alerts === null) return
    this.#push({ device, deviceId: this.#deviceId(device), inputOffset, atMs, ends: cause })
  }

  /** Scores the windows that wait and hands everything to the sink. */
  flush(): void {
    this.#score()
    for (const [index, output] of this.#pending.entries()) {
      if (this.#emitted + index === this.#mark.position) this.#noteAlertAtMark()
      if ('line' in output) this.#emit(output.topic, output, output.line)
      else if ('ends' in output) this.#emitEnd(output)
      else this.#emit('alert-signals', output, this.#alertLine(output))
    }
    this.#emitted += this.#pending.length
    this.#pending.length = 0
    this.#pendingRows = 0
  }

  /** Marks where things stand before a record or timer acts on a device. The next mark takes the place of this one. */
  mark(device: number): void {
    this.#mark = { position: this.#emitted + this.#pending.length, device, messageCount: 0, alert: null }
  }

  /**
   * Takes back what came since the mark; messages that the sink has already it must give back. The device's alert is then as far as it
   * was decided on before the mark.
   */
  undo(): void {
    const { position, device, messageCount, alert } = this.#mark
    if (position < this.#emitted) {
      const { retract } = this.#sink as Partial<RetractableSink>
      assert(retract !== undefined, 'a sink of a host that undoes records can give messages back')
      retract.call(this.#sink, messageCount)
      if (alert !== null) this.#alerts?.states.put(device, alert)
      this.#emitted = position
    }
    for (const undone of this.#pending.splice(position - this.#emitted)) if ('row' in undone) this.#pendingRows -= 1
  }

  #emit(topic: OutputTopic, { deviceId, inputOffset }: PendingLine | PendingAlert | PendingEnd, line: string): void {
    this.#mark.messageCount += 1
    this.#sink.emit(topic, deviceId, inputOffset, line)
  }

  #noteAlertAtMark(): void {
    this.#mark.messageCount = 0
    this.#mark.alert = this.#alerts?.states.copy(this.#mark.device) ?? null
  }

  #emitEnd(output: PendingEnd): void {
    const { device, deviceId, atMs, ends } = output
    const ended = this.#alerts?.fold.end(device, ends) ?? null
    if (ended !== null)
      this.#emit('device-status', output, alertClearedLine(deviceId, { at: atMs, cause: ends, ...ended }))
  }

  #put(topic: OutputTopic, deviceId: string | null, inputOffset: number, line: string): void {
    this.#push({ topic, deviceId, inputOffset, line })
  }

  #push(entry: PendingLine | PendingEnd): void {
    this.#pending.push(entry)
    if (this.#pending.length >= pendingLinesMax) this.flush()
  }

  /** Fills `#probabilities` for all pending windows: the rows of one model at a time. */
  #score(): void {
    if (this.#pendingRows === 0) return
    const rowsByModel = new Map<LoadedModel, number[]>()
    for (const output of this.#pending) {
      if (!('row' in output)) continue
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

  #alertLine(output: PendingAlert): string {
    const { row, model, window, featuresJson } = output
    const probability = this.#probabilities[row] as number
    assert(!Number.isNaN(probability), `the model ${model.name} ${model.version} answers each row with a number`)
    // A float32 widened to a double, against a double: the threshold 0.8 is not rounded to float32 first.
    const high = probability > (this.#thresholdOf(output.deviceId) ?? model.threshold)
    if (!isHeartbeatDevice(output.deviceId)) this.#counters.add(high ? 'alerts_high_total' : 'alerts_normal_total')
    let why: string | null = null
    if (high) {
      const width = this.#features.length
      const values = this.#pendingFeatures.subarray(row * width, (row + 1) * width)
      const contributions = model.scorer.contributions(Float32Array.from(values))
      why = whyJson(this.#featureNames, values, contributions, this.#plan.alert.whyMax)
    }
    return alertSignalLine(window, model, probability, featuresJson, why, this.#decide(output, probability))
  }

  /** Above which a window of the device is at high risk; `null`: above the package's. */
  #thresholdOf(deviceId: string): number | null {
    const level = this.#alerts?.policies.of(deviceId).levels[0]
    return level === undefined ? this.#plan.alert.threshold : level.threshold
  }

  /** Lets the policy decide on a window; returns the keys that say what came of it. */
  #decide({ device, deviceId, window, model, replacesStartMs, muted }: PendingAlert, probability: number): string {
    if (this.#alerts === null || isHeartbeatDevice(deviceId)) return ''
    const mark = this.#alerts.fold.window({
      device,
      policy: this.#alerts.policies.of(deviceId),
      probability,
      modelThreshold: model.threshold,
      startMs: window.startMs,
      endMs: window.endMs,
      revision: window.revision,
      replacesStartMs,
      muted,
    })
    return policyKeys(mark, muted)
  }
}
