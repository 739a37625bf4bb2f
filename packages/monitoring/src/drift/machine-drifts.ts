import { RowNumbers, RowTable } from '../rows/row-table.ts'
import { type ColumnCounts, ColumnTable, noZ } from './column-table.ts'
import type { DriftColumn } from './drift-reference.ts'
import type { PersistenceState } from './persistence.ts'

/** What is known of one machine, as a state has it; lists by column. */
export interface MachineDrift {
  /** Index of the period being counted; −1 before the first. */
  readonly period: number
  /** Counts of that period: {@link ColumnTable.toJson}. */
  readonly slots: readonly number[]
  /** `sizeless` of the last values; `null` for none or missing. */
  readonly previous: readonly (number | null)[]
  /** Own reference: counts of so many periods, and the independent values they are worth. */
  readonly own: readonly number[]
  readonly ownEffective: readonly number[]
  readonly ownPeriods: number
  readonly bits: readonly number[]
  readonly alarmed: readonly boolean[]
}

/**
 * What a drift monitor knows of each machine. A machine is the number of its rows: the methods take what {@link find} or
 * {@link add} gave, until it is deleted.
 */
export class MachineDrifts {
  readonly #columnCount: number
  readonly #rowOf = new Map<string, number>()
  readonly #rows = new RowNumbers()
  readonly #periods = new RowTable(Float64Array, 1)
  readonly #counts: ColumnTable
  readonly #previous: RowTable<Int16Array>
  /** Takes memory from the first judged period on. */
  readonly #own: ColumnTable
  readonly #ownEffective: RowTable<Float64Array>
  readonly #ownPeriods = new RowTable(Uint32Array, 1)
  readonly #bits: RowTable<Uint32Array>
  readonly #alarmed: RowTable<Uint8Array>
  /** `previous` of the machine last asked for. */
  readonly #lastZs: Int16Array

  constructor(columns: readonly DriftColumn[]) {
    const { length } = columns
    this.#columnCount = length
    this.#counts = new ColumnTable(columns, Uint32Array)
    this.#previous = new RowTable(Int16Array, length)
    this.#own = new ColumnTable(columns, Uint32Array)
    this.#ownEffective = new RowTable(Float64Array, length)
    this.#bits = new RowTable(Uint32Array, length)
    this.#alarmed = new RowTable(Uint8Array, length)
    this.#lastZs = new Int16Array(length)
  }

  get size(): number {
    return this.#rowOf.size
  }

  find(deviceId: string): number | null {
    return this.#rowOf.get(deviceId) ?? null
  }

  /** A machine that is not known yet. */
  add(deviceId: string): number {
    const row = this.#rows.take()
    this.#rowOf.set(deviceId, row)
    // Another machine may have had the row.
    for (const table of [this.#counts, this.#own, this.#ownEffective, this.#ownPeriods, this.#bits, this.#alarmed])
      table.clear(row)
    this.#periods.set(row, -1)
    this.#previous.write(row, new Int16Array(this.#columnCount).fill(noZ))
    return row
  }

  delete(deviceId: string): void {
    const row = this.#rowOf.get(deviceId)
    if (row === undefined) return
    this.#rowOf.delete(deviceId)
    this.#rows.giveBack(row)
  }

  period(machine: number): number {
    return this.#periods.get(machine)
  }

  setPeriod(machine: number, period: number): void {
    this.#periods.set(machine, period)
  }

  /** `sizeless` of its last values. Holds until another machine's are asked for. */
  previous(machine: number): Int16Array {
    const [block, at] = [this.#previous.block(machine), this.#previous.at(machine)]
    for (let i = 0; i < this.#columnCount; i++) this.#lastZs[i] = block[at + i] as number
    return this.#lastZs
  }

  setPrevious(machine: number, zs: Int16Array): void {
    this.#previous.write(machine, zs)
  }

  /** Counts a window into its period. */
  count(machine: number, values: Float32Array, zs: Int16Array): void {
    this.#counts.count(machine, values, zs, this.previous(machine))
  }

  readPeriod(machine: number): ColumnCounts[] {
    return this.#counts.read(machine)
  }

  clearPeriod(machine: number): void {
    this.#counts.clear(machine)
  }

  /** Adds its period to its own reference. @param live What `readPeriod` gives. */
  addToOwn(machine: number, live: readonly ColumnCounts[]): void {
    this.#own.addRow(machine, this.#counts, machine)
    const before = this.#ownEffective.read(machine)
    this.#ownEffective.write(
      machine,
      live.map(({ effective }, i) => (before[i] as number) + effective),
    )
    this.#ownPeriods.set(machine, this.#ownPeriods.get(machine) + 1)
  }

  ownPeriods(machine: number): number {
    return this.#ownPeriods.get(machine)
  }

  /** Its own reference. */
  readOwn(machine: number): ColumnCounts[] {
    const effective = this.#ownEffective.read(machine)
    return this.#own.read(machine).map((counts, i) => ({ ...counts, effective: effective[i] as number }))
  }

  standing(machine: number): PersistenceState[] {
    const alarmed = this.#alarmed.read(machine)
    return this.#bits.read(machine).map((bits, i) => ({ bits, alarmed: alarmed[i] === 1 }))
  }

  setStanding(machine: number, standing: readonly PersistenceState[]): void {
    this.#bits.write(
      machine,
      standing.map(({ bits }) => bits),
    )
    this.#alarmed.write(
      machine,
      standing.map(({ alarmed }) => (alarmed ? 1 : 0)),
    )
  }

  /** All of them, in the order in which they were met. */
  *toJson(): Generator<readonly [deviceId: string, drift: MachineDrift]> {
    const zeros = this.#counts.emptyJson()
    for (const [deviceId, row] of this.#rowOf) {
      const ownPeriods = this.ownPeriods(row)
      const drift = {
        period: this.period(row),
        slots: this.#counts.toJson(row),
        previous: this.#previous.read(row).map((z) => (z === noZ ? null : z)),
        own: ownPeriods === 0 ? zeros : this.#own.toJson(row),
        ownEffective: this.#ownEffective.read(row),
        ownPeriods,
        bits: this.#bits.read(row),
        alarmed: this.#alarmed.read(row).map((alarmed) => alarmed === 1),
      }
      yield [deviceId, drift]
    }
  }

  /** Adds a machine as {@link toJson} gave it. */
  fromJson(deviceId: string, drift: MachineDrift): void {
    const row = this.add(deviceId)
    this.#periods.set(row, drift.period)
    this.#counts.fromJson(row, drift.slots)
    this.#previous.write(
      row,
      drift.previous.map((z) => z ?? noZ),
    )
    if (drift.ownPeriods === 0) return
    this.#own.fromJson(row, drift.own)
    this.#ownEffective.write(row, drift.ownEffective)
    this.#ownPeriods.set(row, drift.ownPeriods)
    this.setStanding(
      row,
      drift.bits.map((bits, i) => ({ bits, alarmed: drift.alarmed[i] === true })),
    )
  }
}
