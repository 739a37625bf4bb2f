import { type AlertSignal, assert, limits, type ModelName } from '@millwright/core'
import { RowNumbers } from '../rows/row-table.ts'
import { sameFields } from '../same-fields.ts'
import { ColumnTable, sizeless } from './column-table.ts'
import { byEffect, type ColumnDrift, type ComparedWith, compareColumns, type DriftBounds } from './compare-columns.ts'
import { type DriftColumn, type DriftReference, driftColumns } from './drift-reference.ts'
import { type MachineDrift, MachineDrifts } from './machine-drifts.ts'
import { type Persistence, type PersistenceChange, type PersistenceState, persist } from './persistence.ts'

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
 * D5. Memory is bounded: machines × columns, and `openPeriodsMax` periods of the fleet; for one more the oldest is judged before it is due.
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

const none: readonly DriftFinding[] = []

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

/** What is known of one machine against its own reference, and of that against training. */
export interface MachineDriftReport {
  /** Judged periods that its own reference is made of, and those that it takes. */
  readonly ownPeriods: number
  readonly ownPeriodsWanted: number
  /** Of the period that goes on; it is judged when it is over, with `windowsWanted` or more. */
  readonly windows: number
  readonly windowsWanted: number
  /**
   * That period so far against its own reference, ordered by effect; `null` before it has one, and before the first window. Of few
   * windows the PSI is greater than it will be; the p-value knows how many there are.
   */
  readonly present: readonly ColumnDrift[] | null
  /** Columns whose alarm stands, in the model's order. */
  readonly alarmed: readonly string[]
  /** Its own reference against training, ordered by effect; `null` before it has one. */
  readonly unlikeTraining: readonly ColumnDrift[] | null
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
  readonly devices: readonly (readonly [deviceId: string, drift: MachineDrift])[]
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
  readonly #counters: DriftCounters
  readonly #machines: MachineDrifts
  /** What windows were counted of the fleet: a row for each period that is open, and one for what is carried to the next that is judged. */
  readonly #fleet: ColumnTable
  readonly #fleetRows = new RowNumbers()
  readonly #periods = new Map<number, number>()
  readonly #carried: number
  #fleetStanding: PersistenceState[]
  /** Of the window that is taken: its values, NaN for a missing one, and what they are as `sizeless`. */
  readonly #values: Float32Array
  readonly #zs: Int16Array
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
    this.#values = new Float32Array(this.#columns.length)
    this.#zs = new Int16Array(this.#columns.length)
    this.#machines = new MachineDrifts(this.#columns)
    this.#fleet = new ColumnTable(this.#columns, Float64Array)
    this.#carried = this.#fleetRows.take()
    this.#fleetStanding = this.#columns.map(() => ({ bits: 0, alarmed: false }))
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
    return this.#machines.size
  }

  /** Counts a scored window of this model version (others are passed over) and returns what it made plain of its machine. */
  alertSignal(signal: AlertSignal): readonly DriftFinding[] {
    const { model } = this.#reference
    if (signal.model.name !== model.name || signal.model.version !== model.version || signal.revision > 0) return none
    this.#counters.windows += 1
    this.#readValues(signal)
    // A window that ends with a period belongs to it.
    const period = Math.floor((signal.windowEnd - 1) / this.#rules.periodMs)
    const machine = this.#machine(signal.deviceId)
    const findings = machine === null ? none : this.#countForMachine(signal.deviceId, machine, period)
    const ofFleet = this.#countForFleet(period, machine)
    if (machine !== null) this.#machines.setPrevious(machine, this.#zs)
    return findings.length + ofFleet.length === 0 ? none : [...findings, ...ofFleet]
  }

  /** Says that windows ending at or before `timeMs` were read, and judges the fleet's periods that are over. */
  readUpTo(timeMs: number): readonly DriftFinding[] {
    if (!(timeMs > this.#readUpToMs)) return none
    this.#readUpToMs = timeMs
    const { periodMs, graceMs } = this.#rules
    const before = Math.floor((timeMs - graceMs) / periodMs)
    const over = [...this.#periods.keys()].filter((period) => period < before).sort((a, b) => a - b)
    this.#judgedBefore = Math.max(this.#judgedBefore, before)
    return over.flatMap((period) => this.#closeFleetPeriod(period))
  }

  /** Forgets a machine: one that comes under its id has a reference of its own. @returns The columns whose alarm stood. */
  forget(deviceId: string): string[] {
    const machine = this.#machines.find(deviceId)
    if (machine === null) return []
    const alarmed = this.#alarmedColumns(machine)
    this.#machines.delete(deviceId)
    return alarmed
  }

  /** The fleet's last judged period against the package's baseline; `null` before the first. */
  fleetReport(): DriftReport | null {
    return this.#lastFleet
  }

  /** `null` for a machine that is not known. */
  machineReport(deviceId: string): MachineDriftReport | null {
    const machine = this.#machines.find(deviceId)
    if (machine === null) return null
    const { ownPeriods: ownPeriodsWanted, sampleMin: windowsWanted } = this.#rules
    const live = this.#machines.readPeriod(machine)
    const windows = live.at(-1)?.count ?? 0
    const ownPeriods = this.#machines.ownPeriods(machine)
    const hasOwn = ownPeriods >= ownPeriodsWanted && windows > 0
    return {
      ownPeriods,
      ownPeriodsWanted,
      windows,
      windowsWanted,
      present: hasOwn
        ? byEffect(compareColumns(this.#columns, live, this.#machines.readOwn(machine), this.#rules))
        : null,
      alarmed: this.#alarmedColumns(machine),
      unlikeTraining: this.unlikeTraining(deviceId),
    }
  }

  /** How far a machine's own reference is from training, ordered by effect; `null` before it has one. */
  unlikeTraining(deviceId: string): readonly ColumnDrift[] | null {
    const machine = this.#machines.find(deviceId)
    if (machine === null || this.#machines.ownPeriods(machine) < this.#rules.ownPeriods) return null
    const own = this.#machines.readOwn(machine)
    return byEffect(compareColumns(this.#columns, own, this.#baselines(), this.#rules))
  }

  snapshot(): DriftState {
    return { ...this.stateWithoutMachines(), devices: [...this.machineStates()] }
  }

  /** {@link snapshot} but for the list of machines, which is empty. */
  stateWithoutMachines(): DriftState {
    return {
      version: 1,
      rules: this.#rules,
      comparedWith: driftComparison(this.#reference),
      counters: { ...this.#counters },
      readUpToMs: Number.isFinite(this.#readUpToMs) ? this.#readUpToMs : null,
      fleet: {
        bits: this.#fleetStanding.map(({ bits }) => bits),
        alarmed: this.#fleetStanding.map(({ alarmed }) => alarmed),
        carried: this.#fleet.toJson(this.#carried),
      },
      judgedBefore: this.#judgedBefore,
      periods: [...this.#periods].map(([period, row]) => [period, this.#fleet.toJson(row)] as const),
      devices: [],
      lastFleet: this.#lastFleet,
    }
  }

  /** The machines of {@link snapshot}, in the order in which they were met, one at a time. */
  machineStates(): Iterable<readonly [deviceId: string, drift: MachineDrift]> {
    return this.#machines.toJson()
  }

  #restore(state: DriftState): void {
    assert(state.version === 1, 'the state of a drift monitor has version 1')
    const same =
      sameFields(state.rules, this.#rules) &&
      JSON.stringify(state.comparedWith) === JSON.stringify(driftComparison(this.#reference))
    assert(same, 'a state goes on under the rules and the baseline that made it; rebuild it for others')
    this.#readUpToMs = state.readUpToMs ?? Number.NEGATIVE_INFINITY
    const { bits, alarmed, carried } = state.fleet
    this.#fleetStanding = bits.map((each, i) => ({ bits: each, alarmed: alarmed[i] === true }))
    this.#fleet.fromJson(this.#carried, carried)
    this.#judgedBefore = state.judgedBefore
    for (const [period, slots] of state.periods) this.#fleet.fromJson(this.#openPeriod(period), slots)
    for (const [deviceId, drift] of state.devices) this.#machines.fromJson(deviceId, drift)
    this.#lastFleet = state.lastFleet
  }

  /** What the model was given: float32, as the baseline has it. */
  #readValues({ features, probability }: AlertSignal): void {
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i] as DriftColumn
      const value = i === this.#columns.length - 1 ? probability : features[column.name]
      this.#values[i] = value ?? Number.NaN
      this.#zs[i] = sizeless(column, this.#values[i] as number)
    }
  }

  #machine(deviceId: string): number | null {
    const known = this.#machines.find(deviceId)
    if (known !== null) return known
    if (this.#machines.size < this.#rules.devicesMax) return this.#machines.add(deviceId)
    this.#counters.devicesRefused += 1
    return null
  }

  #alarmedColumns(machine: number): string[] {
    const standing = this.#machines.standing(machine)
    return this.#columns.flatMap(({ name }, i) => (standing[i]?.alarmed === true ? [name] : []))
  }

  #countForMachine(deviceId: string, machine: number, period: number): readonly DriftFinding[] {
    const current = this.#machines.period(machine)
    if (period < current) {
      this.#counters.windowsBehind += 1
      return none
    }
    const findings = period > current && current >= 0 ? this.#closeMachinePeriod(deviceId, machine) : none
    if (period > current) this.#machines.setPeriod(machine, period)
    this.#machines.count(machine, this.#values, this.#zs)
    return findings
  }

  #closeMachinePeriod(deviceId: string, machine: number): readonly DriftFinding[] {
    const live = this.#machines.readPeriod(machine)
    if ((live.at(-1)?.count ?? 0) < this.#rules.sampleMin) return none
    const endMs = (this.#machines.period(machine) + 1) * this.#rules.periodMs
    this.#counters.devicePeriodsJudged += 1
    let findings: readonly DriftFinding[] = none
    if (this.#machines.ownPeriods(machine) < this.#rules.ownPeriods) this.#machines.addToOwn(machine, live)
    else {
      const drifts = compareColumns(this.#columns, live, this.#machines.readOwn(machine), this.#rules)
      const judged = this.#judge(deviceId, this.#machines.standing(machine), drifts, endMs)
      this.#machines.setStanding(machine, judged.standing)
      findings = judged.findings
    }
    this.#machines.clearPeriod(machine)
    return findings
  }

  #countForFleet(period: number, machine: number | null): readonly DriftFinding[] {
    if (period < this.#judgedBefore) {
      this.#counters.windowsLate += 1
      return none
    }
    let row = this.#periods.get(period)
    let findings: readonly DriftFinding[] = none
    if (row === undefined) {
      if (this.#periods.size >= openPeriodsMax) {
        const oldest = Math.min(...this.#periods.keys())
        if (period < oldest) {
          this.#counters.windowsLate += 1
          return none
        }
        findings = this.#closeFleetPeriod(oldest)
        this.#judgedBefore = oldest + 1
      }
      row = this.#openPeriod(period)
    }
    const previous = machine === null ? null : this.#machines.previous(machine)
    this.#fleet.count(row, this.#values, this.#zs, previous)
    return findings
  }

  #openPeriod(period: number): number {
    const row = this.#fleetRows.take()
    this.#fleet.clear(row)
    this.#periods.set(period, row)
    return row
  }

  #closeFleetPeriod(period: number): readonly DriftFinding[] {
    const row = this.#periods.get(period)
    assert(row !== undefined, 'only an open period is closed')
    this.#fleet.addRow(this.#carried, this.#fleet, row)
    this.#periods.delete(period)
    this.#fleetRows.giveBack(row)
    const live = this.#fleet.read(this.#carried)
    if ((live.at(-1)?.count ?? 0) < this.#rules.sampleMin) return none
    this.#fleet.clear(this.#carried)
    this.#counters.fleetPeriodsJudged += 1
    const drifts = compareColumns(this.#columns, live, this.#baselines(), this.#rules)
    const endMs = (period + 1) * this.#rules.periodMs
    const { standing, findings } = this.#judge(null, this.#fleetStanding, drifts, endMs)
    this.#fleetStanding = standing
    const alarmed = new Map(this.#columns.map(({ name }, i) => [name, standing[i]?.alarmed === true]))
    this.#lastFleet = {
      periodEndMs: endMs,
      columns: byEffect(drifts).map((drift) => ({ ...drift, alarmed: alarmed.get(drift.column) === true })),
    }
    return findings
  }

  /** @param standing By column, before this period. */
  #judge(
    deviceId: string | null,
    standing: readonly PersistenceState[],
    drifts: readonly ColumnDrift[],
    atMs: number,
  ): { readonly standing: PersistenceState[]; readonly findings: readonly DriftFinding[] } {
    const changes = new Map<ColumnDrift, Exclude<PersistenceChange, null>>()
    const next = drifts.map((drift, i) => {
      const before = standing[i] ?? { bits: 0, alarmed: false }
      const { change, ...after } = persist(before, drift.drifted, this.#rules.persistence)
      if (change === 'raised') this.#counters.alarmsRaised += 1
      if (change !== null) changes.set(drift, change)
      return after
    })
    const findings = byEffect([...changes.keys()]).map((drift) => ({
      change: changes.get(drift) ?? 'raised',
      deviceId,
      atMs,
      drift,
    }))
    return { standing: next, findings }
  }

  #baselines(): ComparedWith[] {
    return this.#columns.map(({ baseline, baselineCounts }) => ({
      counts: baselineCounts,
      min: baseline.min,
      max: baseline.max,
      effective: baselineCounts.reduce((sum, count) => sum + count, 0),
    }))
  }
}
