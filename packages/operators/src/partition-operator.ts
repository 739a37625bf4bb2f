import {
  type Activation,
  assert,
  type DeviceStateEntry,
  type LoadedModel,
  limits,
  type OperatorCounters,
  type OutputSink,
  type PartitionOperator,
  type Plan,
  type ReadingBatch,
  type ReadingDecoder,
  type SharedOperatorState,
} from '@millwright/core'
import { Fold } from '@millwright/kernels'
import { accumulatorLayout } from './accumulators/layout.ts'
import { AlertFold } from './alerts/alert-fold.ts'
import { AlertPolicies } from './alerts/alert-policies.ts'
import { AlertStates } from './alerts/alert-states.ts'
import { Mutes } from './alerts/mutes.ts'
import { ByteWriter } from './byte-writer.ts'
import { Cleaning } from './cleaning.ts'
import { Counters } from './counters.ts'
import { clearBeside, type DeviceMemory } from './device-memory.ts'
import { DeviceStateCodec } from './device-state.ts'
import { DeviceTable } from './device-table.ts'
import { DeviceTimers } from './device-timers.ts'
import { EventPath } from './event-path.ts'
import { DeviceEvents } from './features/device-events.ts'
import { FeatureProgram } from './features/feature-program.ts'
import { foldOptions } from './fold-options.ts'
import { HostTimers } from './host-timers.ts'
import type { HostedOperator, RetractableSink, WriteState } from './hosted-operator.ts'
import { ModelsInForce } from './models-in-force.ts'
import { type AlertParts, ResultWriter } from './output/result-writer.ts'
import { Quarantine } from './quarantine.ts'
import { ReadingPath } from './reading-path.ts'
import { type StateShape, stateShape, stateShapeHash } from './state-shape.ts'
import { WaitingReadings } from './waiting-readings.ts'
import { AlignedWindows } from './windows/aligned-windows.ts'
import type { DeviceWindows } from './windows/device-windows.ts'
import { PerReadingWindows } from './windows/per-reading-windows.ts'
import { rawLayout } from './windows/raw-values.ts'
import { SessionWindows } from './windows/session-windows.ts'
import { WindowCloser } from './windows/window-closer.ts'
import { WindowStore } from './windows/window-store.ts'
import { windowsKeptMax } from './windows/windows-kept.ts'

/** What an operator is made of: the plan it runs, who decodes its readings, who takes its outputs. */
export interface PartitionOperatorOptions {
  /** A checked plan, as `definePlant` makes it. */
  readonly plan: Plan
  /** Made for the plan's channels, timestamps and `devicesMax`; the operator's alone. */
  readonly decoder: ReadingDecoder
  readonly sink: OutputSink
  /**
   * Shapes of earlier plans whose states are taken over: `restore` reads their bytes too. A state whose shape is not listed is
   * refused. None by default.
   */
  readonly earlierShapes?: readonly StateShape[]
  /**
   * The plan's own shape as the maker of the earlier ones sees it, where that is not here: the texts of users' functions, by which
   * the history of what they gave is found, differ between a source and its bundle. `stateShape(plan)` by default.
   */
  readonly shape?: StateShape
}

/**
 * Makes the whole pipeline of one partition: decode, clean, windows, features, score, alert policy.
 *
 * Pure and deterministic: a device's outputs are a function of its own records in their order, with their append times, and of
 * the activations. How records are split into calls, where heartbeats stand, what other devices do, and when `flush` is
 * called, is not visible in them.
 *
 * @throws {InvariantError} When the plan is one that `definePlant` would have refused.
 * @throws {ConfigurationError} When the plan cannot take over states of one of the earlier shapes.
 */
export function createPartitionOperator(options: PartitionOperatorOptions): PartitionOperator {
  return new PlanOperator(options)
}

/** What a hosted operator is made of. */
export interface HostedOperatorOptions extends PartitionOperatorOptions {
  readonly sink: RetractableSink
  /** Told before each call of a project's function, and after it: whoever hosts may end one that does not come back. */
  readonly onProjectCall?: (isUnderWay: boolean) => void
  /**
   * Asked where a record would begin a device: whether the host has room for it. Where it has none the record is a dead letter (`devices-max`), and
   * begins nothing. There is always room by default.
   */
  readonly hasRoom?: (device: number) => boolean
}

/**
 * Makes the same pipeline for a host that keeps states and timers itself and may let go of devices in between.
 *
 * @throws {InvariantError} When the plan is one that `definePlant` would have refused.
 * @throws {ConfigurationError} When the plan cannot take over states of one of the earlier shapes.
 */
export function createHostedOperator(options: HostedOperatorOptions): HostedOperator {
  const operator = new PlanOperator(options, 'hosted')
  return operator.hosted
}

type PlanOperatorOptions = PartitionOperatorOptions & Pick<HostedOperatorOptions, 'onProjectCall' | 'hasRoom'>

class PlanOperator implements PartitionOperator {
  readonly #plan: Plan
  readonly #decoder: ReadingDecoder
  readonly #counters: Counters
  readonly #memory: DeviceMemory
  readonly #models = new ModelsInForce()
  readonly #results: ResultWriter
  readonly #program: FeatureProgram
  readonly #timers: DeviceTimers
  readonly #readings: ReadingPath
  readonly #events: EventPath
  readonly #codec: DeviceStateCodec
  readonly #quarantine: Quarantine | null
  readonly #hostTimers: HostTimers | null
  /** Ids forgotten that {@link takeDirty} has not given yet. */
  readonly #forgotten = new Set<string>()
  /** Greatest append time of any record; NaN before the first. */
  #appendClockMs = Number.NaN
  /** Where the next batch of the call at hand begins. */
  #batchOffset = 0
  #batchAppendTimeMs = Number.NaN
  /** Devices whose changes the host does not have yet, in the order in which they first changed. */
  readonly #unwritten = new Set<number>()
  readonly #stateWriter = new ByteWriter(4096)
  readonly #onBatch = (batch: ReadingBatch): void => {
    this.#readings.batch(batch, this.#batchOffset, this.#batchAppendTimeMs)
    this.#batchOffset += batch.rowCount
  }

  constructor({ plan, decoder, sink, ...states }: PlanOperatorOptions, mode: 'logged' | 'hosted' = 'logged') {
    const windowsKept = windowsKeptMax(plan)
    assert(
      windowsKept <= limits.openWindowsPerDeviceMax,
      `a plan keeps at most ${limits.openWindowsPerDeviceMax} windows of a device`,
    )
    assert(plan.time.forgetAfterMs >= plan.time.silentAfterMs, 'a device is silent before it is forgotten')
    this.#plan = plan
    this.#decoder = decoder
    const deviceId = (device: number): string => decoder.deviceId(device)
    const counters = new Counters(plan)
    const accumulators = accumulatorLayout(plan)
    const fold = new Fold(foldOptions(plan, accumulators))
    const table = new DeviceTable(fold)
    const store = new WindowStore(fold, table, counters, { accumulators, raw: rawLayout(plan) })
    const events = new DeviceEvents(plan)
    const alerts = alertParts(plan, events, counters)
    const policies = alerts?.policies ?? null
    const mutes = alerts?.mutes ?? null
    const { onProjectCall, hasRoom = () => true } = states
    const program = new FeatureProgram({
      plan,
      store,
      events,
      windowsKept,
      deviceId,
      ...(onProjectCall === undefined ? {} : { onProjectCall }),
    })
    const waiting = new WaitingReadings()
    const memory = { table, windows: store, waiting, history: program.history, events, alerts: alerts?.states ?? null }
    const results = new ResultWriter({
      plan,
      sink,
      counters,
      devices: table,
      store,
      program,
      models: this.#models,
      deviceId,
      alerts,
    })
    const closer = new WindowCloser(table, store, results, plan.time)
    const windows = deviceWindows(plan, memory, results)
    const { time } = plan
    this.#counters = counters
    this.#memory = memory
    this.#results = results
    this.#program = program
    const planShape = stateShape(plan)
    const shape = states.shape ?? planShape
    assert(stateShapeHash(shape) === stateShapeHash(planShape), 'the shape that is handed in is that of the plan')
    this.#codec = new DeviceStateCodec(memory, shape, states.earlierShapes ?? [])
    this.#hostTimers = mode === 'hosted' ? new HostTimers() : null
    const timersOfHost = this.#hostTimers
    this.#quarantine =
      timersOfHost === null
        ? null
        : new Quarantine({ memory, codec: this.#codec, results, timers: timersOfHost, deviceId })
    const quarantine = this.#quarantine
    this.#timers = new DeviceTimers({ memory, closer, results, counters, time, deviceId, host: timersOfHost, policies })
    const timers = this.#timers
    const cleaning = new Cleaning(plan, counters)
    this.#readings = new ReadingPath({
      plan,
      fold,
      memory,
      cleaning,
      timers,
      closer,
      windows,
      results,
      counters,
      deviceId,
      quarantine,
      hasRoom,
    })
    this.#events = new EventPath({ decoder, memory, timers, results, counters, plan, quarantine, mutes, hasRoom })
  }

  get counters(): OperatorCounters {
    return this.#counters.toRecord()
  }

  get deviceCount(): number {
    return this.#memory.table.count
  }

  readings(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void {
    this.#begin(baseOffset, appendTimeMs)
    this.#decoder.decode(bytes, this.#onBatch)
  }

  input(byteLength: number): Uint8Array {
    return this.#decoder.input(byteLength)
  }

  readingsInput(byteLength: number, baseOffset: number, appendTimeMs: number): void {
    this.#begin(baseOffset, appendTimeMs)
    this.#decoder.decodeInput(byteLength, this.#onBatch)
  }

  deviceEvents(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void {
    this.#noteAppendTime(appendTimeMs)
    this.#events.lines(bytes, baseOffset, appendTimeMs)
  }

  activate(activation: Activation, offset: number): void {
    this.#assertTakesFeatures(activation.model)
    // An activation carries append time forward as a heartbeat does: what is due is scored by the models of before, which may
    // then be given up. A replay has no append times.
    if (!Number.isNaN(activation.seenAtMs)) this.heartbeat(activation.seenAtMs, offset)
    this.#counters.add('model_activations_total')
    if (this.#models.add(activation)) this.#counters.add('model_activations_late_total')
  }

  heartbeat(appendTimeMs: number, offset: number): void {
    assert(Number.isFinite(appendTimeMs), 'a heartbeat has an append time')
    this.#noteAppendTime(appendTimeMs)
    const forgotten = this.#timers.heartbeat(appendTimeMs, offset)
    this.#models.timeCame(appendTimeMs)
    if (forgotten.length === 0) return
    // An index is another device's from here on: the alerts of those that are gone must have ended.
    if (this.#memory.alerts !== null) this.#results.flush()
    for (const device of forgotten) this.#forgotten.add(this.#decoder.deviceId(device))
    this.#decoder.forget(Int32Array.from(forgotten))
  }

  endOfInput(offset: number): void {
    const { table } = this.#memory
    const devices: { device: number; id: string }[] = []
    for (let device = 0; device < table.indexEnd; device++)
      if (table.exists(device)) devices.push({ device, id: this.#decoder.deviceId(device) })
    devices.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    for (const { device } of devices) this.#readings.endOfInput(device, offset)
  }

  flush(): void {
    this.#results.flush()
  }

  /** The operator as its host sees it. */
  get hosted(): HostedOperator {
    const { table } = this.#memory
    const operator = this
    return {
      readings: (batch, baseOffset, appendTimesMs, firstRow) =>
        this.#readings.batch(batch, baseOffset, appendTimesMs, firstRow),
      deviceEvent: (bytes, offset, appendTimeMs) => this.#events.lines(bytes, offset, appendTimeMs),
      timerCame: (device, nowMs, offset) => this.#timerCame(device, nowMs, offset),
      endOfInput: (device, offset) => {
        // What fails here closes no window: there is no record to blame.
        if (!this.#guarded(device, () => this.#readings.endOfInput(device, offset)))
          this.#counters.add('timers_failed_total')
      },
      abandon: (why) => this.#abandon(why),
      announce: (activation) => this.#announce(activation),
      timeCame: (nowMs) => this.#models.timeCame(nowMs),
      flush: () => this.flush(),
      holds: (device) => table.exists(device),
      restore: (deviceId, state, askedForMs) => this.#restoreHosted(deviceId, state, askedForMs),
      writeBack: (device, write) => {
        this.#noteUnwritten()
        if (this.#unwritten.delete(device)) this.#writeState(device, write)
      },
      writeBackOldest: (countMax, write) => {
        this.#noteUnwritten()
        let count = 0
        for (const device of this.#unwritten) {
          if (count === countMax) break
          this.#unwritten.delete(device)
          this.#writeState(device, write)
          count += 1
        }
        return this.#unwritten.size
      },
      evict: (device) => {
        assert(!this.#unwritten.has(device), 'a device is written back before it is let go of')
        clearBeside(this.#memory, device)
        this.#memory.alerts?.forget(device)
        table.end(device)
        this.#hostTimers?.clear(device)
      },
      takeTimerRequests: () => this.#hostTimers?.take() ?? [],
      get deviceCount() {
        return table.count
      },
      get offsetAtHand() {
        return operator.#quarantine?.offsetAtHand ?? Number.NaN
      },
      get callAtHand() {
        return operator.#program.callAtHand
      },
      get counters() {
        return operator.counters
      },
    }
  }

  takeDirty(max = Number.POSITIVE_INFINITY): DeviceStateEntry[] {
    assert(!this.#results.hasPending, 'outputs are flushed before state is taken')
    const dirty = this.#memory.table.takeDirty(max)
    const writer = new ByteWriter(320 * Math.max(8, dirty.length))
    const ends = dirty.map((device) => {
      this.#codec.write(device, writer)
      return writer.length
    })
    // One buffer for all: a million small ones would cost more than what they hold.
    const bytes = writer.since(0)
    const entries: DeviceStateEntry[] = dirty.map((device, i) => ({
      deviceId: this.#decoder.deviceId(device),
      state: bytes.subarray(ends[i - 1] ?? 0, ends[i]),
    }))
    for (const { deviceId } of entries) this.#forgotten.delete(deviceId)
    for (const deviceId of this.#forgotten) {
      if (entries.length >= max) break
      this.#forgotten.delete(deviceId)
      entries.push({ deviceId, state: null })
    }
    return entries
  }

  restore({ deviceId, state }: DeviceStateEntry): void {
    if (state === null) return
    const device = this.#decoder.deviceIndex(deviceId)
    assert(device >= 0, 'the devices of a snapshot fit the devicesMax they were taken with')
    const { table } = this.#memory
    try {
      this.#codec.read(device, state)
    } catch (error) {
      // What was refused leaves no trace, not even its id.
      if (!table.exists(device)) this.#decoder.forget(Int32Array.of(device))
      throw error
    }
    this.#timers.fileRestored(device)
  }

  takeShared(): SharedOperatorState {
    return {
      appendClockMs: Number.isNaN(this.#appendClockMs) ? null : this.#appendClockMs,
      activations: this.#models.seen().map(({ model, activeFromMs, seenAtMs }) => {
        return { name: model.name, version: model.version, sha256: model.sha256, activeFromMs, seenAtMs }
      }),
      counters: this.counters,
    }
  }

  restoreShared(state: SharedOperatorState, loadModel: (sha256: string) => LoadedModel): void {
    this.#appendClockMs = state.appendClockMs ?? Number.NaN
    for (const { sha256, activeFromMs, seenAtMs } of state.activations)
      this.#models.add({ model: loadModel(sha256), activeFromMs, seenAtMs })
    this.#counters.restore(state.counters)
  }

  #announce(activation: Activation): void {
    this.#assertTakesFeatures(activation.model)
    this.#counters.add('model_activations_total')
    if (this.#models.add(activation)) this.#counters.add('model_activations_late_total')
  }

  #timerCame(device: number, nowMs: number, offset: number): boolean {
    let forgotten = false
    const came = this.#guarded(device, () => {
      forgotten = this.#timers.timerCame(device, nowMs, offset)
    })
    if (!came) this.#counters.add('timers_failed_total')
    if (forgotten) this.#unwritten.delete(device)
    return came && forgotten
  }

  #abandon(why: string): 'record' | 'timer' | null {
    const { callAtHand } = this.#program
    if (callAtHand === null || this.#quarantine === null) return null
    this.#program.callAtHand = null
    const message = `Cannot calculate ${callAtHand.where}: the project's function did not come back ${why}`
    const abandoned = this.#quarantine.abandon(message)
    if (abandoned === 'timer') this.#counters.add('timers_failed_total')
    return abandoned
  }

  #noteUnwritten(): void {
    for (const device of this.#memory.table.takeDirty()) this.#unwritten.add(device)
  }

  #guarded(device: number, act: () => void): boolean {
    assert(this.#quarantine !== null, 'only a host lets timers fail')
    return this.#quarantine.runTimer(device, act)
  }

  #restoreHosted(deviceId: string, state: Uint8Array, askedForMs: number): void {
    const device = this.#decoder.deviceIndex(deviceId)
    assert(device >= 0, 'a host restores no more devices than the directory has room for')
    this.#codec.read(device, state)
    this.#hostTimers?.set(device, askedForMs)
    this.#timers.fileRestored(device)
  }

  #writeState(device: number, write: WriteState): void {
    assert(!this.#results.hasPending, 'outputs are flushed before state is taken')
    this.#stateWriter.length = 0
    this.#codec.write(device, this.#stateWriter)
    write(device, this.#stateWriter.since(0), this.#hostTimers?.askedForMs(device) ?? Number.NaN)
  }

  #assertTakesFeatures({ scorer, name, version }: LoadedModel): void {
    assert(
      scorer.featureCount === this.#plan.features.length,
      `model ${name} ${version} must take the plan's ${this.#plan.features.length} features`,
    )
  }

  #begin(baseOffset: number, appendTimeMs: number): void {
    this.#noteAppendTime(appendTimeMs)
    this.#batchOffset = baseOffset
    this.#batchAppendTimeMs = appendTimeMs
  }

  #noteAppendTime(appendTimeMs: number): void {
    // Also true where no append time is known yet; never where this one is unknown.
    if (!(appendTimeMs <= this.#appendClockMs) && !Number.isNaN(appendTimeMs)) this.#appendClockMs = appendTimeMs
  }
}

function alertParts({ alert }: Plan, events: DeviceEvents, counters: Counters): AlertParts | null {
  if (alert.rules === undefined) return null
  const policies = new AlertPolicies(alert.rules)
  const states = new AlertStates(policies.windowsMax)
  return { policies, states, fold: new AlertFold(states, counters), mutes: new Mutes(events, alert.rules.mutes) }
}

function deviceWindows(plan: Plan, memory: DeviceMemory, results: ResultWriter): DeviceWindows {
  const { table, windows, history } = memory
  switch (plan.window.kind) {
    case 'tumbling':
    case 'hopping':
      return new AlignedWindows(table, windows, results, plan.window, plan.time)
    case 'session':
      return new SessionWindows(table, windows, results, history, plan.window, plan.time)
    case 'per-reading':
      return new PerReadingWindows(windows, results)
  }
}
