import {
  assert,
  type DeadLetter,
  type DeviceFeatures,
  type DeviceStatus,
  type LateReading,
  limits,
} from '@millwright/core'
import { sameFields } from '../same-fields.ts'
import { checkQualityRules, type QualityRules, type WatchedChannel } from './quality-plan.ts'

/**
 * Watches what readings are like, per machine and channel, from what operators wrote; readings themselves are not read a
 * second time. docs/decisions/drift-and-estimates.md has what each number means and what it cannot see.
 *
 * Invariants
 *
 * Q1. A machine's report depends on its own records of each topic, in their order, and not on how topics were interleaved:
 *     but for the current period, to which a refusal, a late reading or a silence is counted when it is read.
 * Q2. A window counts once, with its first result.
 * Q3. Memory is bounded by machines × channels; machines beyond are counted.
 * Q4. `snapshot` is JSON, and an instance restored from it goes on as this one would.
 */
const dayMs = 86_400_000

/** Days; flat after 12 windows (an hour of the reference plant); half or twice the usual rate. */
export const defaultQualityRules: QualityRules = {
  periodMs: dayMs,
  flatWindows: 12,
  rateShare: 0.5,
  devicesMax: limits.monitoredDevicesMax,
}

/** One channel of one machine over one period. */
export interface ChannelQuality {
  readonly channel: string
  /** Windows in which no value came; `null` where no feature tells of the channel. */
  readonly missingWindows: number | null
  /** Windows with a level outside what is physically possible. */
  readonly outOfRangeWindows: number
  /** Windows at the end of a row of at least `flatWindows` without any change. */
  readonly flatWindows: number
}

/** One machine over one period. */
export interface DeviceQuality {
  /** Start of the period, event time; `null` before the first window. */
  readonly periodStartMs: number | null
  readonly windows: number
  readonly readings: number
  /** Windows with far fewer or far more readings than this machine's usual number. */
  readonly shortWindows: number
  readonly longWindows: number
  /** Refused for a time too far ahead of the log or of the machine's own clock: its clock is wrong, or was. */
  readonly clockAhead: number
  /** Refused for a time that is none. */
  readonly clockUnreadable: number
  /** Refused for anything else. */
  readonly otherRefusals: number
  readonly lateReadings: number
  /** Furthest that a late reading was behind its machine's clock, milliseconds. */
  readonly lateMsMax: number
  readonly silences: number
  readonly silent: boolean
  readonly channels: readonly ChannelQuality[]
}

interface PeriodCounts {
  windows: number
  readings: number
  shortWindows: number
  longWindows: number
  clockAhead: number
  clockUnreadable: number
  otherRefusals: number
  lateReadings: number
  lateMsMax: number
  silences: number
  /** Three per channel: missing, out of range, flat. */
  channels: number[]
}

interface WatchedMachine {
  /** Index of the period; −1 before the first window. */
  period: number
  now: PeriodCounts
  /** The period before, as it ended; `null` where there was none. */
  last: PeriodCounts | null
  lastPeriod: number
  silent: boolean
  /** Usual readings per window: a slow mean that short windows hardly pull; 0 before the first. */
  usualReadings: number
  /** Per channel: windows in a row without change, and the level of the last one (`null` for none). */
  flatRows: number[]
  levels: (number | null)[]
}

/** Counts over all machines and all time; they never fall, and a machine that is forgotten stays counted. */
export interface QualityTotals {
  readonly windows: number
  readonly shortWindows: number
  readonly longWindows: number
  readonly clockAhead: number
  readonly clockUnreadable: number
  readonly otherRefusals: number
  readonly lateReadings: number
  readonly silences: number
  readonly channels: readonly ChannelQuality[]
}

export interface DataQualityState {
  readonly version: 1
  readonly rules: QualityRules
  readonly channels: readonly string[]
  readonly machinesRefused: number
  readonly totals: Readonly<PeriodCounts>
  readonly machines: readonly (readonly [deviceId: string, machine: Readonly<WatchedMachine>])[]
}

const aheadReasons = ['future', 'jump-not-confirmed']
const unreadableReasons = [
  'timestamp-missing',
  'timestamp-not-a-time',
  'timestamp-out-of-range',
  'timestamp-looks-like-seconds',
]

/** Weight of a new window in the usual number of readings: a change of rate is the new usual after a few hundred. */
const usualWeight = 1 / 128

export class DataQuality {
  readonly #channels: readonly WatchedChannel[]
  readonly #rules: QualityRules
  readonly #machines = new Map<string, WatchedMachine>()
  readonly #totals: PeriodCounts
  #machinesRefused = 0

  constructor(
    channels: readonly WatchedChannel[],
    rules: QualityRules = defaultQualityRules,
    state?: DataQualityState,
  ) {
    checkQualityRules(rules)
    this.#channels = channels
    this.#rules = rules
    this.#totals = this.#emptyCounts()
    if (state === undefined) return
    assert(state.version === 1, 'the state of data quality has version 1')
    const names = channels.map(({ name }) => name)
    assert(
      sameFields(state.rules, rules) && sameFields(state.channels, names),
      'a state goes on under the rules and channels that made it; rebuild it for others',
    )
    this.#machinesRefused = state.machinesRefused
    this.#totals = { ...state.totals, channels: [...state.totals.channels] }
    for (const [deviceId, machine] of state.machines) this.#machines.set(deviceId, structuredCopy(machine))
  }

  get machineCount(): number {
    return this.#machines.size
  }

  /** Records of machines beyond `devicesMax`. */
  get machinesRefused(): number {
    return this.#machinesRefused
  }

  /** Takes one message of `device-features`, in the machine's order. */
  deviceFeatures({ deviceId, windowEnd, revision, readingCount, features }: DeviceFeatures): void {
    const machine = this.#machine(deviceId)
    if (machine === null || revision > 0) return
    const period = Math.floor((windowEnd - 1) / this.#rules.periodMs)
    if (period > machine.period) {
      if (machine.period >= 0) {
        machine.last = machine.now
        machine.lastPeriod = machine.period
        machine.now = this.#emptyCounts()
      }
      machine.period = period
    }
    for (const counts of [machine.now, this.#totals]) {
      counts.windows += 1
      counts.readings += readingCount
    }
    this.#countRate(machine, readingCount)
    for (const [i, channel] of this.#channels.entries()) this.#countChannel(machine, i, channel, features)
  }

  /** Takes one message of `dead-letters`; one whose machine is not known is passed over. */
  deadLetter({ deviceId, reason }: DeadLetter): void {
    const machine = deviceId === null ? null : this.#machine(deviceId)
    if (machine === null) return
    for (const counts of [machine.now, this.#totals])
      if (aheadReasons.includes(reason)) counts.clockAhead += 1
      else if (unreadableReasons.includes(reason)) counts.clockUnreadable += 1
      else counts.otherRefusals += 1
  }

  /** Takes one message of `late-readings`. */
  lateReading({ deviceId, timestamp, deviceClock }: LateReading): void {
    const machine = this.#machine(deviceId)
    if (machine === null) return
    for (const counts of [machine.now, this.#totals]) {
      counts.lateReadings += 1
      counts.lateMsMax = Math.max(counts.lateMsMax, deviceClock - timestamp)
    }
  }

  /** Takes one message of `device-status`; a forgotten machine is forgotten here, too. */
  deviceStatus({ deviceId, kind }: DeviceStatus): void {
    if (kind === 'device-forgotten') {
      this.#machines.delete(deviceId)
      return
    }
    // It says nothing of whether the machine is heard of: mostly it is not.
    if (kind === 'alert-cleared') return
    const machine = this.#machine(deviceId)
    if (machine === null) return
    machine.silent = kind === 'device-silent'
    if (machine.silent) for (const counts of [machine.now, this.#totals]) counts.silences += 1
  }

  /** A machine's last whole period, and the one that is going on; `null` for an unknown machine. */
  report(deviceId: string): { readonly last: DeviceQuality | null; readonly now: DeviceQuality } | null {
    const machine = this.#machines.get(deviceId)
    if (machine === undefined) return null
    const { last, lastPeriod, now, period, silent } = machine
    return {
      last: last === null ? null : this.#qualityOf(last, lastPeriod, silent),
      now: this.#qualityOf(now, period, silent),
    }
  }

  /** In the order in which they were met. */
  deviceIds(): IterableIterator<string> {
    return this.#machines.keys()
  }

  totals(): QualityTotals {
    const { readings: _readings, lateMsMax: _lateMsMax, channels, ...plain } = this.#totals
    return { ...plain, channels: this.#channelsOf(channels) }
  }

  snapshot(): DataQualityState {
    return {
      version: 1,
      rules: this.#rules,
      channels: this.#channels.map(({ name }) => name),
      machinesRefused: this.#machinesRefused,
      totals: { ...this.#totals, channels: [...this.#totals.channels] },
      machines: [...this.#machines].map(([deviceId, machine]) => [deviceId, structuredCopy(machine)] as const),
    }
  }

  #machine(deviceId: string): WatchedMachine | null {
    const known = this.#machines.get(deviceId)
    if (known !== undefined) return known
    if (this.#machines.size >= this.#rules.devicesMax) {
      this.#machinesRefused += 1
      return null
    }
    const machine: WatchedMachine = {
      period: -1,
      now: this.#emptyCounts(),
      last: null,
      lastPeriod: -1,
      silent: false,
      usualReadings: 0,
      flatRows: this.#channels.map(() => 0),
      levels: this.#channels.map(() => null),
    }
    this.#machines.set(deviceId, machine)
    return machine
  }

  #countRate(machine: WatchedMachine, readingCount: number): void {
    const usual = machine.usualReadings
    if (usual === 0) {
      machine.usualReadings = readingCount
      return
    }
    const { rateShare } = this.#rules
    for (const counts of [machine.now, this.#totals]) {
      if (readingCount < usual * rateShare) counts.shortWindows += 1
      if (readingCount * rateShare > usual) counts.longWindows += 1
    }
    // Drawn in, so that one burst does not become the usual.
    const drawnIn = Math.min(readingCount, usual / rateShare)
    machine.usualReadings = usual + (drawnIn - usual) * usualWeight
  }

  #countChannel(
    machine: WatchedMachine,
    index: number,
    { min, max, mayStandStill, evidence }: WatchedChannel,
    features: Readonly<Record<string, number | null>>,
  ): void {
    if (evidence.length === 0) return
    const at = index * 3
    const add = (slot: number): void => {
      for (const { channels } of [machine.now, this.#totals]) channels[slot] = (channels[slot] as number) + 1
    }
    const values = evidence.map(({ feature, of }) => ({ of, value: features[feature] ?? null }))
    if (values.every(({ value }) => value === null)) {
      add(at)
      machine.flatRows[index] = 0
      machine.levels[index] = null
      return
    }
    const levels = values.flatMap(({ of, value }) => (of === 'level' && value !== null ? [value] : []))
    if (levels.some((level) => (min !== null && level < min) || (max !== null && level > max))) add(at + 1)
    const spreads = values.flatMap(({ of, value }) => (of === 'spread' && value !== null ? [value] : []))
    const level = levels[0] ?? null
    const unchanged =
      spreads.length > 0
        ? spreads.every((spread) => spread === 0) && (level === null || level === (machine.levels[index] ?? level))
        : level !== null && level === machine.levels[index]
    machine.levels[index] = level
    machine.flatRows[index] = unchanged ? (machine.flatRows[index] as number) + 1 : 0
    if (!mayStandStill && (machine.flatRows[index] as number) >= this.#rules.flatWindows) add(at + 2)
  }

  #qualityOf(counts: PeriodCounts, period: number, silent: boolean): DeviceQuality {
    const { channels, ...plain } = counts
    return {
      periodStartMs: period < 0 ? null : period * this.#rules.periodMs,
      ...plain,
      silent,
      channels: this.#channelsOf(channels),
    }
  }

  #channelsOf(channels: readonly number[]): ChannelQuality[] {
    return this.#channels.map(({ name, evidence }, i) => ({
      channel: name,
      missingWindows: evidence.length === 0 ? null : (channels[i * 3] as number),
      outOfRangeWindows: channels[i * 3 + 1] as number,
      flatWindows: channels[i * 3 + 2] as number,
    }))
  }

  #emptyCounts(): PeriodCounts {
    return {
      windows: 0,
      readings: 0,
      shortWindows: 0,
      longWindows: 0,
      clockAhead: 0,
      clockUnreadable: 0,
      otherRefusals: 0,
      lateReadings: 0,
      lateMsMax: 0,
      silences: 0,
      channels: new Array<number>(this.#channels.length * 3).fill(0),
    }
  }
}

function structuredCopy(machine: Readonly<WatchedMachine>): WatchedMachine {
  return JSON.parse(JSON.stringify(machine)) as WatchedMachine
}
