import { type AlertSignal, assert, limits, type ModelName } from '@millwright/core'
import { sameFields } from '../same-fields.ts'
import { addColumn, columnSlots, countValue, readColumn, sizeless } from './column-counts.ts'
import { byEffect, type ColumnDrift, type ComparedWith, compareColumns, type DriftBounds } from './compare-columns.ts'
import { type DriftColumn, type DriftReference, driftColumns } from './drift-reference.ts'
import { type Persistence, type PersistenceChange, persist } from './persistence.ts'

/**
 * Watches whether what one model version is asked still looks like what it was taught. The fleet is compared with the
 * package's baseline; a machine with its own first periods, since machines differ from each other all their lives and that
 * is no drift (how far a machine is from training is reported beside). docs/decisions/drift-and-estimates.md says why.
 *
 * Invariants
 *
 * D1. A machine's findings depend on its own windows since it was last forgotten, in their order, and on nothing else.
 * D2. The fleet's depend on all windows and on `readUpTo`, and not on the order of machines.
 * D3. A window counts once, as it was first scored, in the period of its end.
 * D4. A period is judged on at least `sampleMin` windows; one with fewer is joined with the next.
 * D5. Memory is bounded: devices × columns, and `openPeriodsMax` periods of the fleet; for one more the oldest is judged before it is due.
 * D6. `snapshot` is JSON, and a monitor restored from it goes on as this one would.
 */
export interface DriftRules extends DriftBounds {
  /** Tumbling, epoch-aligned, by the end of the window. */
  readonly periodMs: number
  /** The fleet's period is judged this long after its end, on the scale of `readUpTo`. */
  readonly graceMs: number
  readonly sampleMin: number
  readonly persistence: Persistence
  /** Judged periods that make a machine's own reference. */
  readonly ownPeriods: number
  readonly devicesMax: number
}

const dayMs = 86_400_000
/** Of the fleet: days of a history that may be read in within the while by which promises are late. */
const openPeriodsMax = 128

/** Days; 200 windows; PSI 0.2 and a false discovery rate of 5 %; two of three; a machine's first week. */
export const defaultDriftRules: DriftRules = {
  periodMs: dayMs,
  graceMs: 3_600_000,
  sampleMin: 200,
  psiMin: 0.2,
  falseDiscoveryRate: 0.05,
  persistence: { m: 2, n: 3 },
  ownPeriods: 7,
  devicesMax: limits.monitoredDevicesMax,
}

/** An alarm that was raised or cleared. */
export interface DriftFinding {
  readonly change: Exclude<PersistenceChange, null>
  /** `null` for the fleet. */
  readonly deviceId: string | null
  /** End of the judged period. */
  readonly atMs: number
  readonly drift: ColumnDrift
}

/** The last judged period, ordered by effect on the model. */
export interface DriftReport {
  readonly periodEndMs: number
  readonly columns: readonly (ColumnDrift & { readonly alarmed: boolean })[]
}

interface WatchedScope {
  /** Index of the period being counted; −1 before the first. */
  period: number
  /** Counts of all columns, see column-counts.ts. */
  slots: number[]
  /** `sizeless` of each column's last value; `null` for none or missing. */
  previous: (number | null)[]
  /** Own reference: counts of all columns, and per column the independent values they are worth. */
  own: number[]
  ownEffective: number[]
  ownPeriods: number
  bits: number[]
  alarmed: boolean[]
}

/** The model version and, by column, the bins of its baseline. */
export interface DriftComparison {
  readonly model: ModelName
  readonly columns: readonly { readonly name: string; readonly edges: readonly number[] }[]
}

/** What a monitor of a reference compares with: a state goes on with an equal one only. */
export function driftComparison(reference: DriftReference): DriftComparison {
  return {
    model: reference.model,
    columns: driftColumns(reference).map(({ name, baseline }) => ({ name, edges: baseline.edges })),
  }
}

export interface DriftState {
  readonly version: 1
  readonly rules: DriftRules
  /** What was compared: a state goes on with the same only. */
  readonly comparedWith: DriftComparison
  readonly counters: DriftCounters
  readonly readUpToMs: number | null
  readonly fleet: {
    readonly bits: readonly number[]
    readonly alarmed: readonly boolean[]
    readonly carried: readonly number[]
  }
  readonly judgedBefore: number
  readonly periods: readonly (readonly [period: number, slots: readonly number[]])[]
  readonly devices: readonly (readonly [deviceId: string, scope: Readonly<WatchedScope>])[]
  readonly lastFleet: DriftReport | null
}

export interface DriftCounters {
  windows: number
  /** Windows of a period of the fleet that was judged already. */
  windowsLate: number
  /** Windows of a machine's period that was over; they count for the fleet. */
  windowsBehind: number
  devicesRefused: number
  fleetPeriodsJudged: number
  devicePeriodsJudged: number
  alarmsRaised: number
}

export class DriftMonitor {
  readonly #reference: DriftReference
  readonly #rules: DriftRules
  readonly #columns: readonly DriftColumn[]
  readonly #starts: readonly number[]
  readonly #slotCount: number
  readonly #counters: DriftCounters
  readonly #devices = new Map<string, WatchedScope>()
  readonly #periods = new Map<number, number[]>()
  readonly #fleet: { bits: number[]; alarmed: boolean[]; carried: number[] }
  /** Periods of the fleet below this one are judged. */
  #judgedBefore = -1
  #readUpToMs = Number.NEGATIVE_INFINITY
  #lastFleet: DriftReport | null = null

  /** @param state What `snapshot` gave, of the same reference and rules. */
  constructor(reference: DriftReference, rules: DriftRules = defaultDriftRules, state?: DriftState) {
    assert(
      rules.periodMs > 0 && rules.sampleMin > 0 && rules.ownPeriods > 0,
      'periods, samples and references are not empty',
    )
    assert(
      rules.persistence.m >= 1 && rules.persistence.m <= rules.persistence.n && rules.persistence.n <= 30,
      'persistence is m of n, n at most 30',
    )
    this.#reference = reference
    this.#rules = rules
    this.#columns = driftColumns(reference)
    let next = 0
    this.#starts = this.#columns.map((column) => {
      const start = next
      next += columnSlots(column)
      return start
    })
    this.#slotCount = next
    this.#fleet = {
      bits: this.#columns.map(() => 0),
      alarmed: this.#columns.map(() => false),
      carried: this.#emptySlots(),
    }
    this.#counters = {
      windows: 0,
      windowsLate: 0,
      windowsBehind: 0,
      devicesRefused: 0,
      fleetPeriodsJudged: 0,
      devicePeriodsJudged: 0,
      alarmsRaised: 0,
      ...state?.counters,
    }
    if (state !== undefined) this.#restore(state)
  }

  get counters(): Readonly<DriftCounters> {
    return this.#counters
  }

  get deviceCount(): number {
    return this.#devices.size
  }

  /** Counts a scored window of this model version (others are passed over) and returns what it made plain of its machine. */
  alertSignal(signal: AlertSignal): DriftFinding[] {
    const { model } = this.#reference
    if (signal.model.name !== model.name || signal.model.version !== model.version || signal.revision > 0) return []
    this.#counters.windows += 1
    // What the model was given: float32, as the baseline has it.
    const values = this.#columns.map(({ name }, i) => {
      const value = i === this.#columns.length - 1 ? signal.probability : (signal.features[name] ?? null)
      return value === null ? null : Math.fround(value)
    })
    // A window that ends with a period belongs to it.
    const period = Math.floor((signal.windowEnd - 1) / this.#rules.periodMs)
    const device = this.#device(signal.deviceId)
    const findings = device === null ? [] : this.#countForDevice(signal.deviceId, device, period, values)
    findings.push(...this.#countForFleet(period, values, device?.previous ?? null))
    if (device !== null) device.previous = values.map((value, i) => sizeless(this.#columns[i] as DriftColumn, value))
    return findings
  }

  /** Says that windows ending at or before `timeMs` were read, and judges the fleet's periods that are over. */
  readUpTo(timeMs: number): DriftFinding[] {
    if (!(timeMs > this.#readUpToMs)) return []
    this.#readUpToMs = timeMs
    const { periodMs, graceMs } = this.#rules
    const before = Math.floor((timeMs - graceMs) / periodMs)
    const over = [...this.#periods.keys()].filter((period) => period < before).sort((a, b) => a - b)
    this.#judgedBefore = Math.max(this.#judgedBefore, before)
    return over.flatMap((period) => this.#closeFleetPeriod(period))
  }

  /** Forgets a machine: one that comes under its id has a reference of its own. @returns The columns whose alarm stood. */
  forget(deviceId: string): string[] {
    const alarmed = this.#devices.get(deviceId)?.alarmed ?? []
    this.#devices.delete(deviceId)
    return this.#columns.flatMap(({ name }, i) => (alarmed[i] === true ? [name] : []))
  }

  /** The fleet's last judged period against the package's baseline; `null` before the first. */
  fleetReport(): DriftReport | null {
    return this.#lastFleet
  }

  /** How far a machine's own reference is from training, ordered by effect; `null` before it has one. */
  unlikeTraining(deviceId: string): readonly ColumnDrift[] | null {
    const device = this.#devices.get(deviceId)
    if (device === undefined || device.ownPeriods < this.#rules.ownPeriods) return null
    const own = this.#read(device.own).map((counts, i) => ({ ...counts, effective: device.ownEffective[i] as number }))
    return byEffect(compareColumns(this.#columns, own, this.#baselines(), this.#rules))
  }

  snapshot(): DriftState {
    return {
      version: 1,
      rules: this.#rules,
      comparedWith: driftComparison(this.#reference),
      counters: { ...this.#counters },
      readUpToMs: Number.isFinite(this.#readUpToMs) ? this.#readUpToMs : null,
      fleet: {
        bits: [...this.#fleet.bits],
        alarmed: [...this.#fleet.alarmed],
        carried: [...this.#fleet.carried],
      },
      judgedBefore: this.#judgedBefore,
      periods: [...this.#periods].map(([period, slots]) => [period, [...slots]] as const),
      devices: [...this.#devices].map(([deviceId, scope]) => [deviceId, copyOf(scope)] as const),
      lastFleet: this.#lastFleet,
    }
  }

  #restore(state: DriftState): void {
    assert(state.version === 1, 'the state of a drift monitor has version 1')
    const same =
      sameFields(state.rules, this.#rules) &&
      JSON.stringify(state.comparedWith) === JSON.stringify(driftComparison(this.#reference))
    assert(same, 'a state goes on under the rules and the baseline that made it; rebuild it for others')
    this.#readUpToMs = state.readUpToMs ?? Number.NEGATIVE_INFINITY
    this.#fleet.bits = [...state.fleet.bits]
    this.#fleet.alarmed = [...state.fleet.alarmed]
    this.#fleet.carried = [...state.fleet.carried]
    this.#judgedBefore = state.judgedBefore
    for (const [period, slots] of state.periods) this.#periods.set(period, [...slots])
    for (const [deviceId, scope] of state.devices) this.#devices.set(deviceId, copyOf(scope))
    this.#lastFleet = state.lastFleet
  }

  #device(deviceId: string): WatchedScope | null {
    const known = this.#devices.get(deviceId)
    if (known !== undefined) return known
    if (this.#devices.size >= this.#rules.devicesMax) {
      this.#counters.devicesRefused += 1
      return null
    }
    const scope: WatchedScope = {
      period: -1,
      slots: this.#emptySlots(),
      previous: this.#columns.map(() => null),
      own: this.#emptySlots(),
      ownEffective: this.#columns.map(() => 0),
      ownPeriods: 0,
      bits: this.#columns.map(() => 0),
      alarmed: this.#columns.map(() => false),
    }
    this.#devices.set(deviceId, scope)
    return scope
  }

  #countForDevice(
    deviceId: string,
    device: WatchedScope,
    period: number,
    values: readonly (number | null)[],
  ): DriftFinding[] {
    if (period < device.period) {
      this.#counters.windowsBehind += 1
      return []
    }
    const findings = period > device.period && device.period >= 0 ? this.#closeDevicePeriod(deviceId, device) : []
    device.period = period
    this.#count(device.slots, values, device.previous)
    return findings
  }

  #closeDevicePeriod(deviceId: string, device: WatchedScope): DriftFinding[] {
    const live = this.#read(device.slots)
    if ((live.at(-1)?.count ?? 0) < this.#rules.sampleMin) return []
    const endMs = (device.period + 1) * this.#rules.periodMs
    this.#counters.devicePeriodsJudged += 1
    let findings: DriftFinding[] = []
    if (device.ownPeriods < this.#rules.ownPeriods) {
      this.#add(device.own, device.slots)
      device.ownEffective = live.map(({ effective }, i) => (device.ownEffective[i] as number) + effective)
      device.ownPeriods += 1
    } else {
      const own = this.#read(device.own).map((counts, i) => ({
        ...counts,
        effective: device.ownEffective[i] as number,
      }))
      findings = this.#judge(deviceId, device, compareColumns(this.#columns, live, own, this.#rules), endMs)
    }
    device.slots = this.#emptySlots()
    return findings
  }

  #countForFleet(
    period: number,
    values: readonly (number | null)[],
    previous: readonly (number | null)[] | null,
  ): DriftFinding[] {
    if (period < this.#judgedBefore) {
      this.#counters.windowsLate += 1
      return []
    }
    let slots = this.#periods.get(period)
    let findings: DriftFinding[] = []
    if (slots === undefined) {
      if (this.#periods.size >= openPeriodsMax) {
        const oldest = Math.min(...this.#periods.keys())
        if (period < oldest) {
          this.#counters.windowsLate += 1
          return []
        }
        findings = this.#closeFleetPeriod(oldest)
        this.#judgedBefore = oldest + 1
      }
      slots = this.#emptySlots()
      this.#periods.set(period, slots)
    }
    this.#count(slots, values, previous)
    return findings
  }

  #closeFleetPeriod(period: number): DriftFinding[] {
    const slots = this.#fleet.carried
    this.#add(slots, this.#periods.get(period) ?? this.#emptySlots())
    this.#periods.delete(period)
    const live = this.#read(slots)
    if ((live.at(-1)?.count ?? 0) < this.#rules.sampleMin) return []
    this.#fleet.carried = this.#emptySlots()
    this.#counters.fleetPeriodsJudged += 1
    const drifts = compareColumns(this.#columns, live, this.#baselines(), this.#rules)
    const endMs = (period + 1) * this.#rules.periodMs
    const findings = this.#judge(null, this.#fleet, drifts, endMs)
    const alarmed = new Map(this.#columns.map(({ name }, i) => [name, this.#fleet.alarmed[i] === true]))
    this.#lastFleet = {
      periodEndMs: endMs,
      columns: byEffect(drifts).map((drift) => ({ ...drift, alarmed: alarmed.get(drift.column) === true })),
    }
    return findings
  }

  #judge(
    deviceId: string | null,
    scope: { bits: number[]; alarmed: boolean[] },
    drifts: readonly ColumnDrift[],
    atMs: number,
  ): DriftFinding[] {
    const changes = new Map<ColumnDrift, Exclude<PersistenceChange, null>>()
    for (const [i, drift] of drifts.entries()) {
      const state = { bits: scope.bits[i] as number, alarmed: scope.alarmed[i] === true }
      const { bits, alarmed, change } = persist(state, drift.drifted, this.#rules.persistence)
      scope.bits[i] = bits
      scope.alarmed[i] = alarmed
      if (change === 'raised') this.#counters.alarmsRaised += 1
      if (change !== null) changes.set(drift, change)
    }
    return byEffect([...changes.keys()]).map((drift) => ({
      change: changes.get(drift) ?? 'raised',
      deviceId,
      atMs,
      drift,
    }))
  }

  #baselines(): ComparedWith[] {
    return this.#columns.map(({ baseline, baselineCounts }) => ({
      counts: baselineCounts,
      min: baseline.min,
      max: baseline.max,
      effective: baselineCounts.reduce((sum, count) => sum + count, 0),
    }))
  }

  #count(slots: number[], values: readonly (number | null)[], previous: readonly (number | null)[] | null): void {
    for (const [i, column] of this.#columns.entries())
      countValue(slots, this.#starts[i] as number, column, values[i] ?? null, previous?.[i] ?? null)
  }

  #add(into: number[], from: readonly number[]): void {
    for (const [i, column] of this.#columns.entries())
      addColumn(into, this.#starts[i] as number, from, this.#starts[i] as number, column)
  }

  #read(slots: readonly number[]): ReturnType<typeof readColumn>[] {
    return this.#columns.map((column, i) => readColumn(slots, this.#starts[i] as number, column))
  }

  #emptySlots(): number[] {
    return new Array<number>(this.#slotCount).fill(0)
  }
}

function copyOf(scope: Readonly<WatchedScope>): WatchedScope {
  return {
    period: scope.period,
    slots: [...scope.slots],
    previous: [...scope.previous],
    own: [...scope.own],
    ownEffective: [...scope.ownEffective],
    ownPeriods: scope.ownPeriods,
    bits: [...scope.bits],
    alarmed: [...scope.alarmed],
  }
}
