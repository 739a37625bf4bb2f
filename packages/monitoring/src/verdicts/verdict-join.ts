import { type AlertSignal, assert, limits, type MaintenanceFeedback } from '@millwright/core'
import { sameFields } from '../same-fields.ts'
import { highEvents } from './high-events.ts'
import { ModelIndex, type WatchedModelJson } from './model-index.ts'
import { PredictionRuns } from './prediction-runs.ts'
import { probabilityBand } from './probability-bands.ts'
import { compareRecords, type StoredVerdict, storedVerdict } from './stored-verdict.ts'
import { addTally, emptyTally, type Tally, tallyDevice } from './tally.ts'
import { type ModelPerformance, modelPerformance } from './verdict-report.ts'

/**
 * Joins verdicts to the predictions that they judge, weeks later. docs/decisions/verdicts.md has the rules and why.
 *
 * Invariants
 *
 * V1. A report depends on each device's own signals, in their order, and on the verdicts, and not on how the topics were
 *     interleaved nor on when what was settled: as long as nothing was forgotten (the counters say) and promises were kept.
 * V2. Settling moves windows that no verdict can change any more from a device's memory into their model's counts. No
 *     event and no verdict is cut in two by it.
 * V3. Memory is bounded by devices × (runs, verdicts); what falls out is counted.
 * V4. `snapshot` is JSON, and an instance restored from it goes on as this one would.
 */
export interface VerdictRules {
  /** How long after its start a span may be judged, and how long predictions are remembered. */
  readonly horizonMs: number
  /** Age at which a normal window without a verdict is presumed healthy; at most the horizon. */
  readonly presumedAfterMs: number
  /** Longest pause within one event. At most a quarter of the horizon. */
  readonly eventGapMs: number
  readonly runsPerDeviceMax: number
  readonly devicesMax: number
}

const dayMs = 86_400_000

/** 90 days to judge; presumed healthy after 14; windows at most an hour apart are one event. */
export const defaultVerdictRules: VerdictRules = {
  horizonMs: 90 * dayMs,
  presumedAfterMs: 14 * dayMs,
  eventGapMs: 3_600_000,
  runsPerDeviceMax: limits.predictionRunsMax,
  devicesMax: limits.monitoredDevicesMax,
}

/** Monotone counts, each since the first record. */
export interface VerdictCounters {
  signals: number
  /** Windows whose judgement a later revision changed. */
  windowsChanged: number
  /** Windows that fell out of memory before they were settled. */
  windowsForgotten: number
  /** Windows that came more than half a horizon behind their device's clock. */
  windowsTooOld: number
  /** Windows longer than a quarter of the horizon. */
  windowsTooLong: number
  /** Signals of a device or a model version too many. */
  signalsRefused: number
  /** Verdict records that count or counted, corrections included. */
  verdictsAccepted: number
  verdictsDuplicate: number
  /** Records older than one of the same id that is known. */
  verdictsSuperseded: number
  /** Recorded more than a horizon after the start of their span. */
  verdictsTooLate: number
  /** Recorded before a time up to which all was said to be read. */
  verdictsBehindPromise: number
  verdictsForgotten: number
  verdictsRefused: number
  /** Verdicts that became a false alarm: given as one, or corrected to one. Never falls. */
  falseAlerts: number
}

interface WatchedDevice {
  readonly runs: PredictionRuns
  verdicts: StoredVerdict[]
  /** Greatest window end; −Infinity before the first. */
  clockMs: number
  /** When the plant forgot it; −Infinity where it did not. */
  forgottenAtMs: number
}

/** What `snapshot` gives. `null` stands for −Infinity, which JSON lacks. */
export interface VerdictJoinState {
  readonly version: 1
  readonly rules: VerdictRules
  readonly readUpToMs: number | null
  readonly counters: VerdictCounters
  readonly models: readonly WatchedModelJson[]
  readonly devices: readonly (readonly [
    deviceId: string,
    clockMs: number | null,
    forgottenAtMs: number | null,
    runs: readonly number[],
    verdicts: readonly StoredVerdict[],
  ])[]
}

export interface VerdictReport {
  /** In order of name, then version. */
  readonly models: readonly ModelPerformance[]
  readonly counters: Readonly<VerdictCounters>
}

const noVerdicts: StoredVerdict[] = []

export class VerdictJoin {
  readonly #rules: VerdictRules
  readonly #models: ModelIndex
  readonly #devices = new Map<string, WatchedDevice>()
  readonly #counters: VerdictCounters
  #readUpToMs = Number.NEGATIVE_INFINITY

  /** @param state What `snapshot` gave; its rules must be these. */
  constructor(rules: VerdictRules = defaultVerdictRules, state?: VerdictJoinState) {
    assert(rules.presumedAfterMs <= rules.horizonMs, 'what is presumed must not be settled before')
    assert(rules.eventGapMs <= rules.horizonMs / 4, 'an event must end long before it is settled')
    this.#rules = rules
    if (state !== undefined) {
      assert(state.version === 1, 'the state of a verdict join has version 1')
      assert(sameFields(state.rules, rules), 'a state goes on under the rules that made it; rebuild it for others')
    }
    this.#models = new ModelIndex(limits.monitoredModelsMax, state?.models)
    this.#counters = { ...zeroCounters, ...state?.counters }
    this.#readUpToMs = state?.readUpToMs ?? Number.NEGATIVE_INFINITY
    for (const [deviceId, clockMs, forgottenAtMs, runs, verdicts] of state?.devices ?? [])
      this.#devices.set(deviceId, {
        runs: new PredictionRuns(runs),
        verdicts: verdicts.length === 0 ? noVerdicts : [...verdicts],
        clockMs: clockMs ?? Number.NEGATIVE_INFINITY,
        forgottenAtMs: forgottenAtMs ?? Number.NEGATIVE_INFINITY,
      })
  }

  get deviceCount(): number {
    return this.#devices.size
  }

  /** Takes one message of `alert-signals`, in the device's order. */
  alertSignal(signal: AlertSignal): void {
    const { deviceId, windowStart, windowEnd, revision, probability, status, model } = signal
    const { horizonMs, runsPerDeviceMax } = this.#rules
    if (windowEnd - windowStart > horizonMs / 4) {
      this.#counters.windowsTooLong += 1
      return
    }
    const index = this.#models.indexOf(model)
    const device = index === null ? null : this.#device(deviceId)
    if (device === null || index === null) {
      this.#counters.signalsRefused += 1
      return
    }
    if (windowEnd <= device.clockMs - horizonMs / 2) {
      this.#counters.windowsTooOld += 1
      return
    }
    this.#counters.signals += 1
    const band = probabilityBand(probability)
    this.#models.countProbability(index, band, probability)
    const high = status === 'High risk of failure'
    const outcome = device.runs.record({ startMs: windowStart, endMs: windowEnd, model: index, high, band, revision })
    if (outcome === 'changed') this.#counters.windowsChanged += 1
    device.clockMs = Math.max(device.clockMs, windowEnd)
    while (device.runs.runCount > runsPerDeviceMax) this.#counters.windowsForgotten += device.runs.removeFirst()
  }

  /** Takes one record of `maintenance-feedback`, in the device's order. */
  feedback(feedback: MaintenanceFeedback): void {
    const { horizonMs } = this.#rules
    const verdict = storedVerdict(feedback)
    if (verdict.recordedAtMs > verdict.fromMs + horizonMs) {
      this.#counters.verdictsTooLate += 1
      return
    }
    if (verdict.recordedAtMs <= this.#readUpToMs) this.#counters.verdictsBehindPromise += 1
    const device = this.#device(feedback.deviceId)
    if (device === null) {
      this.#counters.verdictsRefused += 1
      return
    }
    // A verdict is final a horizon after the start of its span: from then on it may be settled and gone.
    const place = device.verdicts.findIndex(
      ({ id, fromMs }) => id === verdict.id && verdict.recordedAtMs <= fromMs + horizonMs,
    )
    const before = device.verdicts[place]
    if (before !== undefined) {
      const order = compareRecords(verdict, before)
      if (order <= 0) {
        if (order === 0) this.#counters.verdictsDuplicate += 1
        else this.#counters.verdictsSuperseded += 1
        return
      }
      device.verdicts[place] = verdict
    } else this.#keep(device, verdict)
    this.#counters.verdictsAccepted += 1
    if (verdict.kind === 'false-alarm' && before?.kind !== 'false-alarm') this.#countFalseAlert(feedback)
  }

  /** Takes a `device-forgotten` message: no later window of the device is to be waited for. */
  deviceForgotten(deviceId: string, atMs: number): void {
    // Its signals may be read after this.
    const device = this.#device(deviceId)
    if (device !== null) device.forgottenAtMs = Math.max(device.forgottenAtMs, atMs)
  }

  /**
   * Promises that each verdict that is still to come was recorded after `timeMs`, and that signals up to about then were
   * read. Once a day of that time, windows that are out of every verdict's reach are settled.
   */
  readUpTo(timeMs: number): void {
    if (!(timeMs > this.#readUpToMs)) return
    const newDay = Math.floor(timeMs / dayMs) > Math.floor(this.#readUpToMs / dayMs)
    this.#readUpToMs = timeMs
    if (!newDay) return
    for (const [deviceId, device] of this.#devices) {
      this.#settle(device)
      const forgotten = device.forgottenAtMs > device.clockMs
      if (forgotten && device.runs.runCount === 0 && device.verdicts.length === 0) this.#devices.delete(deviceId)
    }
  }

  /** What verdicts say of each model version so far. Looks at every device: call it when asked, not per record. */
  report(): VerdictReport {
    const tallies = this.#models.all.map(({ settled }) => {
      const tally = emptyTally()
      addTally(tally, settled)
      return tally
    })
    for (const device of this.#devices.values())
      tallyDevice(
        device.runs.runs(),
        device.verdicts,
        {
          presumeUpToMs: this.#lastSeenMs(device) - this.#rules.presumedAfterMs,
          eventGapMs: this.#rules.eventGapMs,
        },
        (index) => tallies[index] as Tally,
      )
    const models = this.#models.all.map((model, index) => modelPerformance(model, tallies[index] as Tally))
    models.sort((a, b) => compare(a.model.name, b.model.name) || compare(a.model.version, b.model.version))
    return { models, counters: { ...this.#counters } }
  }

  /** What was said of one machine and may still be corrected, at its newest revision: the latest span first; none for one that is not known. */
  verdictsOn(deviceId: string): readonly StoredVerdict[] {
    const { verdicts } = this.#devices.get(deviceId) ?? { verdicts: noVerdicts }
    return [...verdicts].sort((a, b) => b.toMs - a.toMs || compare(a.id, b.id))
  }

  /** The whole state, as JSON. Devices stand in the order in which they were met. */
  snapshot(): VerdictJoinState {
    return { ...this.stateWithoutDevices(), devices: [...this.deviceStates()] }
  }

  /** {@link snapshot} but for the list of devices, which is empty. */
  stateWithoutDevices(): VerdictJoinState {
    return {
      version: 1,
      rules: this.#rules,
      readUpToMs: finite(this.#readUpToMs),
      counters: { ...this.#counters },
      models: this.#models.toJson(),
      devices: [],
    }
  }

  /** The devices of {@link snapshot}, one at a time. */
  *deviceStates(): Generator<VerdictJoinState['devices'][number]> {
    for (const [deviceId, { clockMs, forgottenAtMs, runs, verdicts }] of this.#devices)
      yield [deviceId, finite(clockMs), finite(forgottenAtMs), runs.toJson(), [...verdicts]]
  }

  #device(deviceId: string): WatchedDevice | null {
    const known = this.#devices.get(deviceId)
    if (known !== undefined) return known
    if (this.#devices.size >= this.#rules.devicesMax) return null
    const device: WatchedDevice = {
      runs: new PredictionRuns(),
      verdicts: noVerdicts,
      clockMs: Number.NEGATIVE_INFINITY,
      forgottenAtMs: Number.NEGATIVE_INFINITY,
    }
    this.#devices.set(deviceId, device)
    return device
  }

  #keep(device: WatchedDevice, verdict: StoredVerdict): void {
    // Which ones stay at the bound must not hang on their order: those on the latest time do.
    const verdicts = [...device.verdicts, verdict].sort((a, b) => b.toMs - a.toMs || compare(a.id, b.id))
    this.#counters.verdictsForgotten += Math.max(0, verdicts.length - limits.verdictsPerDeviceMax)
    device.verdicts = verdicts.slice(0, limits.verdictsPerDeviceMax)
  }

  #countFalseAlert({ model }: MaintenanceFeedback): void {
    this.#counters.falseAlerts += 1
    const index = model === null ? null : this.#models.indexOf(model)
    if (index !== null) this.#models.at(index).falseAlerts += 1
  }

  #lastSeenMs({ clockMs, forgottenAtMs }: WatchedDevice): number {
    return forgottenAtMs > clockMs ? Number.POSITIVE_INFINITY : clockMs
  }

  #settle(device: WatchedDevice): void {
    const { horizonMs, eventGapMs } = this.#rules
    if (device.runs.runCount === 0 && device.clockMs === Number.NEGATIVE_INFINITY) {
      // Nothing was predicted here. Its signals may be read later than its verdicts, but not by another horizon.
      const kept = device.verdicts.filter(({ toMs }) => toMs > this.#readUpToMs - 2 * horizonMs)
      this.#counters.verdictsForgotten += device.verdicts.length - kept.length
      device.verdicts = kept
      return
    }
    const reachedMs = Math.min(this.#lastSeenMs(device), this.#readUpToMs) - horizonMs
    if (device.verdicts.length === 0 && (device.runs.runCount === 0 || device.runs.run(0).firstEndMs > reachedMs))
      return
    const cutMs = uncutBefore(device, reachedMs, eventGapMs)
    const verdicts = device.verdicts.filter(({ toMs }) => toMs <= cutMs)
    const runs = device.runs.removeUpTo(cutMs)
    tallyDevice(
      runs,
      verdicts,
      { presumeUpToMs: Number.POSITIVE_INFINITY, eventGapMs },
      (index) => this.#models.at(index).settled,
    )
    const rest = device.verdicts.filter(({ toMs }) => toMs > cutMs)
    device.verdicts = rest.length === 0 ? noVerdicts : rest
  }
}

/** Returns the latest time, at most `reachedMs`, that lies within no verdict's span and no event (V2). */
function uncutBefore(device: WatchedDevice, reachedMs: number, eventGapMs: number): number {
  const events = highEvents(device.runs.runs(), eventGapMs)
  let cutMs = reachedMs
  for (;;) {
    const before = cutMs
    for (const { fromMs, toMs } of device.verdicts) if (fromMs < cutMs && cutMs < toMs) cutMs = fromMs
    for (const { firstEndMs, lastEndMs } of events) if (firstEndMs <= cutMs && cutMs < lastEndMs) cutMs = firstEndMs - 1
    if (cutMs === before) return cutMs
  }
}

const zeroCounters: VerdictCounters = {
  signals: 0,
  windowsChanged: 0,
  windowsForgotten: 0,
  windowsTooOld: 0,
  windowsTooLong: 0,
  signalsRefused: 0,
  verdictsAccepted: 0,
  verdictsDuplicate: 0,
  verdictsSuperseded: 0,
  verdictsTooLate: 0,
  verdictsBehindPromise: 0,
  verdictsForgotten: 0,
  verdictsRefused: 0,
  falseAlerts: 0,
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function finite(timeMs: number): number | null {
  return Number.isFinite(timeMs) ? timeMs : null
}
