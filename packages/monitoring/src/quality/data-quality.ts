import {
  assert,
  type DeadLetter,
  type DeviceFeatures,
  type DeviceStatus,
  type LateReading,
  limits,
} from '@millwright/core'
import { RowNumbers, RowTable } from '../rows/row-table.ts'
import { sameFields } from '../same-fields.ts'
import { channelWindow, isUnchanged } from './channel-window.ts'
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

/** Where each count of a period is in its row; behind them are three for each channel: missing, out of range, flat. */
const countAt = {
  windows: 0,
  readings: 1,
  shortWindows: 2,
  longWindows: 3,
  clockAhead: 4,
  clockUnreadable: 5,
  otherRefusals: 6,
  lateReadings: 7,
  lateMsMax: 8,
  silences: 9,
} as const
type CountName = keyof typeof countAt
const countNames = Object.keys(countAt) as readonly CountName[]
/** They say how much there was, not that something is wrong. */
const plainNames: readonly CountName[] = ['windows', 'readings', 'lateMsMax']
const findingNames = countNames.filter((name) => !plainNames.includes(name))
const perChannel = 3
const [missingAt, outOfRangeAt, flatAt] = [0, 1, 2]

/** The counts of a period as a state has them. */
type PeriodCounts = Readonly<Record<CountName, number>> & {
  /** Three per channel: missing, out of range, flat. */
  readonly channels: readonly number[]
}

/** What is known of one machine, as a state has it. */
interface WatchedMachine {
  /** Index of the period; −1 before the first window. */
  readonly period: number
  readonly now: PeriodCounts
  /** The period before, as it ended; `null` and −1 where there was none. */
  readonly last: PeriodCounts | null
  readonly lastPeriod: number
  readonly silent: boolean
  /** Usual readings per window: a slow mean that short windows hardly pull; 0 before the first. */
  readonly usualReadings: number
  /** Per channel: windows in a row without change, and the level of the last one (`null` for none). */
  readonly flatRows: readonly number[]
  readonly levels: readonly (number | null)[]
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
  readonly totals: PeriodCounts
  readonly machines: readonly (readonly [deviceId: string, machine: WatchedMachine])[]
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
  readonly #rowOf = new Map<string, number>()
  readonly #rows = new RowNumbers()
  /** Counts of each machine's present period and, from its first whole one on, of its last. */
  readonly #now: RowTable<Float64Array>
  readonly #last: RowTable<Float64Array>
  readonly #period = new RowTable(Float64Array, 1)
  readonly #lastPeriod = new RowTable(Float64Array, 1)
  readonly #usualReadings = new RowTable(Float64Array, 1)
  readonly #silent = new RowTable(Uint8Array, 1)
  readonly #flatRows: RowTable<Uint32Array>
  /** NaN for none. */
  readonly #levels: RowTable<Float64Array>
  /** As a period of all machines. */
  readonly #totals: Float64Array
  #machinesSilent = 0
  #machinesRefused = 0

  constructor(
    channels: readonly WatchedChannel[],
    rules: QualityRules = defaultQualityRules,
    state?: DataQualityState,
  ) {
    checkQualityRules(rules)
    this.#channels = channels
    this.#rules = rules
    const width = countNames.length + perChannel * channels.length
    this.#now = new RowTable(Float64Array, width)
    this.#last = new RowTable(Float64Array, width)
    this.#totals = new Float64Array(width)
    this.#flatRows = new RowTable(Uint32Array, channels.length)
    this.#levels = new RowTable(Float64Array, channels.length)
    if (state === undefined) return
    assert(state.version === 1, 'the state of data quality has version 1')
    const names = channels.map(({ name }) => name)
    assert(
      sameFields(state.rules, rules) && sameFields(state.channels, names),
      'a state goes on under the rules and channels that made it; rebuild it for others',
    )
    this.#machinesRefused = state.machinesRefused
    this.#totals.set(countsFromJson(state.totals))
    for (const [deviceId, machine] of state.machines) this.#restore(deviceId, machine)
  }

  get machineCount(): number {
    return this.#rowOf.size
  }

  get machinesSilent(): number {
    return this.#machinesSilent
  }

  /** Records of machines beyond `devicesMax`. */
  get machinesRefused(): number {
    return this.#machinesRefused
  }

  /** Takes one message of `device-features`, in the machine's order. */
  deviceFeatures({ deviceId, windowEnd, revision, readingCount, features }: DeviceFeatures): void {
    const machine = this.#machine(deviceId)
    if (machine === null || revision > 0) return
    this.#beginPeriod(machine, Math.floor((windowEnd - 1) / this.#rules.periodMs))
    this.#count(machine, countAt.windows)
    this.#count(machine, countAt.readings, readingCount)
    this.#countRate(machine, readingCount)
    for (let i = 0; i < this.#channels.length; i++)
      this.#countChannel(machine, i, this.#channels[i] as WatchedChannel, features)
  }

  /** Takes one message of `dead-letters`; one whose machine is not known is passed over. */
  deadLetter({ deviceId, reason }: DeadLetter): void {
    const machine = deviceId === null ? null : this.#machine(deviceId)
    if (machine === null) return
    if (aheadReasons.includes(reason)) this.#count(machine, countAt.clockAhead)
    else if (unreadableReasons.includes(reason)) this.#count(machine, countAt.clockUnreadable)
    else this.#count(machine, countAt.otherRefusals)
  }

  /** Takes one message of `late-readings`. */
  lateReading({ deviceId, timestamp, deviceClock }: LateReading): void {
    const machine = this.#machine(deviceId)
    if (machine === null) return
    this.#count(machine, countAt.lateReadings)
    const lateMs = deviceClock - timestamp
    const at = countAt.lateMsMax
    this.#now.set(machine, Math.max(this.#now.get(machine, at), lateMs), at)
    this.#totals[at] = Math.max(this.#totals[at] as number, lateMs)
  }

  /** Takes one message of `device-status`; a forgotten machine is forgotten here, too. */
  deviceStatus({ deviceId, kind }: DeviceStatus): void {
    if (kind === 'device-forgotten') {
      this.#forget(deviceId)
      return
    }
    // It says nothing of whether the machine is heard of: mostly it is not.
    if (kind === 'alert-cleared') return
    const machine = this.#machine(deviceId)
    if (machine === null) return
    const silent = kind === 'device-silent'
    this.#setSilent(machine, silent)
    if (silent) this.#count(machine, countAt.silences)
  }

  /** A machine's last whole period, and the one that is going on; `null` for an unknown machine. */
  report(deviceId: string): { readonly last: DeviceQuality | null; readonly now: DeviceQuality } | null {
    const machine = this.#rowOf.get(deviceId)
    if (machine === undefined) return null
    const lastPeriod = this.#lastPeriod.get(machine)
    return {
      last: lastPeriod < 0 ? null : this.#qualityOf(machine, this.#last, lastPeriod),
      now: this.#qualityOf(machine, this.#now, this.#period.get(machine)),
    }
  }

  /** Machines with something wrong in their last whole period (their present one before that), in the order in which they were met. */
  *machinesWithFindings(): Generator<string> {
    for (const [deviceId, machine] of this.#rowOf) {
      const counts = this.#lastPeriod.get(machine) < 0 ? this.#now : this.#last
      if (this.#hasFindings(counts.block(machine), counts.at(machine))) yield deviceId
    }
  }

  totals(): QualityTotals {
    const { readings: _readings, lateMsMax: _lateMsMax, channels, ...plain } = countsToJson(this.#totals)
    return { ...plain, channels: this.#channelsOf(channels) }
  }

  snapshot(): DataQualityState {
    return { ...this.stateWithoutMachines(), machines: [...this.machineStates()] }
  }

  /** {@link snapshot} but for the list of machines, which is empty. */
  stateWithoutMachines(): DataQualityState {
    return {
      version: 1,
      rules: this.#rules,
      channels: this.#channels.map(({ name }) => name),
      machinesRefused: this.#machinesRefused,
      totals: countsToJson(this.#totals),
      machines: [],
    }
  }

  /** The machines of {@link snapshot}, in the order in which they were met, one at a time. */
  *machineStates(): Generator<DataQualityState['machines'][number]> {
    for (const [deviceId, row] of this.#rowOf) {
      const lastPeriod = this.#lastPeriod.get(row)
      const machine = {
        period: this.#period.get(row),
        now: countsToJson(this.#now.read(row)),
        last: lastPeriod < 0 ? null : countsToJson(this.#last.read(row)),
        lastPeriod,
        silent: this.#silent.get(row) === 1,
        usualReadings: this.#usualReadings.get(row),
        flatRows: this.#flatRows.read(row),
        levels: this.#levels.read(row).map((level) => (Number.isNaN(level) ? null : level)),
      }
      yield [deviceId, machine]
    }
  }

  #restore(deviceId: string, machine: WatchedMachine): void {
    const row = this.#add(deviceId)
    this.#period.set(row, machine.period)
    this.#now.write(row, countsFromJson(machine.now))
    if (machine.last !== null) this.#last.write(row, countsFromJson(machine.last))
    this.#lastPeriod.set(row, machine.lastPeriod)
    this.#setSilent(row, machine.silent)
    this.#usualReadings.set(row, machine.usualReadings)
    this.#flatRows.write(row, machine.flatRows)
    this.#levels.write(
      row,
      machine.levels.map((level) => level ?? Number.NaN),
    )
  }

  /** The row of a machine, a new one where it is not known; `null` where there are `devicesMax`. */
  #machine(deviceId: string): number | null {
    const known = this.#rowOf.get(deviceId)
    if (known !== undefined) return known
    if (this.#rowOf.size < this.#rules.devicesMax) return this.#add(deviceId)
    this.#machinesRefused += 1
    return null
  }

  #add(deviceId: string): number {
    const row = this.#rows.take()
    this.#rowOf.set(deviceId, row)
    // Another machine may have had the row.
    for (const table of [this.#now, this.#last, this.#usualReadings, this.#silent, this.#flatRows]) table.clear(row)
    this.#period.set(row, -1)
    this.#lastPeriod.set(row, -1)
    for (let i = 0; i < this.#channels.length; i++) this.#levels.set(row, Number.NaN, i)
    return row
  }

  #forget(deviceId: string): void {
    const row = this.#rowOf.get(deviceId)
    if (row === undefined) return
    this.#setSilent(row, false)
    this.#rowOf.delete(deviceId)
    this.#rows.giveBack(row)
  }

  #setSilent(machine: number, silent: boolean): void {
    this.#machinesSilent += (silent ? 1 : 0) - this.#silent.get(machine)
    this.#silent.set(machine, silent ? 1 : 0)
  }

  #beginPeriod(machine: number, period: number): void {
    const current = this.#period.get(machine)
    if (period <= current) return
    this.#period.set(machine, period)
    if (current < 0) return
    this.#last.write(machine, this.#now.read(machine))
    this.#lastPeriod.set(machine, current)
    this.#now.clear(machine)
  }

  /** Adds to a count of the machine's present period, and of all machines. */
  #count(machine: number, index: number, by = 1): void {
    this.#now.set(machine, this.#now.get(machine, index) + by, index)
    this.#totals[index] = (this.#totals[index] as number) + by
  }

  #countRate(machine: number, readingCount: number): void {
    const usual = this.#usualReadings.get(machine)
    if (usual === 0) {
      this.#usualReadings.set(machine, readingCount)
      return
    }
    const { rateShare } = this.#rules
    if (readingCount < usual * rateShare) this.#count(machine, countAt.shortWindows)
    if (readingCount * rateShare > usual) this.#count(machine, countAt.longWindows)
    // Drawn in, so that one burst does not become the usual.
    const drawnIn = Math.min(readingCount, usual / rateShare)
    this.#usualReadings.set(machine, usual + (drawnIn - usual) * usualWeight)
  }

  #countChannel(machine: number, index: number, channel: WatchedChannel, features: DeviceFeatures['features']): void {
    if (channel.evidence.length === 0) return
    const first = countNames.length + index * perChannel
    const window = channelWindow(channel, features)
    if (window.isMissing) this.#count(machine, first + missingAt)
    if (window.isOutOfRange) this.#count(machine, first + outOfRangeAt)
    const flatRow = isUnchanged(window, this.#levels.get(machine, index)) ? this.#flatRows.get(machine, index) + 1 : 0
    this.#levels.set(machine, window.level, index)
    this.#flatRows.set(machine, flatRow, index)
    if (!channel.mayStandStill && flatRow >= this.#rules.flatWindows) this.#count(machine, first + flatAt)
  }

  #hasFindings(counts: Float64Array, at: number): boolean {
    for (const name of findingNames) if ((counts[at + countAt[name]] as number) > 0) return true
    const channelsAt = at + countNames.length
    for (let i = 0; i < perChannel * this.#channels.length; i++) if ((counts[channelsAt + i] as number) > 0) return true
    return false
  }

  #qualityOf(machine: number, table: RowTable<Float64Array>, period: number): DeviceQuality {
    const { channels, ...plain } = countsToJson(table.read(machine))
    return {
      periodStartMs: period < 0 ? null : period * this.#rules.periodMs,
      ...plain,
      silent: this.#silent.get(machine) === 1,
      channels: this.#channelsOf(channels),
    }
  }

  #channelsOf(counts: readonly number[]): ChannelQuality[] {
    return this.#channels.map(({ name, evidence }, i) => {
      const [missing = 0, outOfRange = 0, flat = 0] = counts.slice(i * perChannel)
      return {
        channel: name,
        missingWindows: evidence.length === 0 ? null : missing,
        outOfRangeWindows: outOfRange,
        flatWindows: flat,
      }
    })
  }
}

function countsToJson(row: ArrayLike<number>): PeriodCounts {
  const counts = Array.from(row)
  const plain = Object.fromEntries(countNames.map((name) => [name, counts[countAt[name]]])) as Record<CountName, number>
  return { ...plain, channels: counts.slice(countNames.length) }
}

function countsFromJson(counts: PeriodCounts): number[] {
  return [...countNames.map((name) => counts[name]), ...counts.channels]
}
