import { RowTable } from '../rows/row-table.ts'
import { effectiveSize } from '../statistics/effective-size.ts'
import type { DriftColumn } from './drift-reference.ts'

/** What was counted of one column in a row, for comparing. */
export interface ColumnCounts {
  /** Bins and, last, missing. */
  readonly counts: readonly number[]
  readonly min: number | null
  readonly max: number | null
  /** All, missing ones included. */
  readonly count: number
  /** Independent values that they are worth. */
  readonly effective: number
  /** Values below the least or above the greatest of training. */
  readonly outside: number
}

type Counts = Uint32Array | Float64Array

/** In a row of counts, of each column after its bins: values, pairs of neighbours, values outside what training saw. */
const [valuesAt, pairsAt, outsideAt, countsBesideBins] = [0, 1, 2, 3]
/** In a row of sums, of each column: Σz, Σz², Σz·z′. */
const sumsPerColumn = 3
/** In a row of a state, of each column after its bins. */
const slotsBesideBins = 8

const zUnit = 256
const zMax = 10 * zUnit
/** Of a missing value. */
export const noZ = -32_768

/** Brings a value to the baseline's size, in steps of 1/256, kept within 10 sizes; {@link noZ} for a missing one (NaN). */
export function sizeless({ centre, scale }: DriftColumn, value: number): number {
  if (Number.isNaN(value)) return noZ
  const z = Math.floor(((value - centre) / scale) * zUnit + 0.5)
  return Math.max(-zMax, Math.min(zMax, z))
}

/**
 * Live values of all columns of a model over a period, a row for each machine: whole numbers and extremes, so that sums over a
 * fleet have no order. z is a value's {@link sizeless}; pairs are neighbours in a machine's row of windows.
 */
export class ColumnTable {
  readonly #columns: readonly DriftColumn[]
  /** Where each column's counts begin in a row. */
  readonly #starts: readonly number[]
  readonly #counts: RowTable<Counts>
  readonly #sums: RowTable<Float64Array>
  /** Of each column the least and the greatest value; 0 while there is none. */
  readonly #extremes: RowTable<Float32Array>

  /** @param countsOf What holds the counts of a row: those of a machine stay below 2^32, those of a fleet may not. */
  constructor(columns: readonly DriftColumn[], countsOf: new (length: number) => Counts) {
    let width = 0
    this.#starts = columns.map(({ baselineCounts }) => {
      const start = width
      width += baselineCounts.length + countsBesideBins
      return start
    })
    this.#columns = columns
    this.#counts = new RowTable(countsOf, width)
    this.#sums = new RowTable(Float64Array, columns.length * sumsPerColumn)
    this.#extremes = new RowTable(Float32Array, columns.length * 2)
  }

  /**
   * Counts one window.
   *
   * @param values One per column, float32; NaN where it is missing.
   * @param zs Of the values: {@link sizeless}.
   * @param previous `sizeless` of the machine's values before; `null` where nothing is known of it.
   */
  count(row: number, values: Float32Array, zs: Int16Array, previous: Int16Array | null): void {
    const [counts, countsAt] = [this.#counts.block(row), this.#counts.at(row)]
    const [sums, sumsAt] = [this.#sums.block(row), this.#sums.at(row)]
    const [extremes, extremesAt] = [this.#extremes.block(row), this.#extremes.at(row)]
    for (let i = 0; i < this.#columns.length; i++) {
      const { baseline, baselineCounts } = this.#columns[i] as DriftColumn
      const [value, z] = [values[i] as number, zs[i] as number]
      const bins = countsAt + (this.#starts[i] as number)
      const extra = bins + baselineCounts.length
      if (z === noZ) {
        add(counts, extra - 1, 1)
        continue
      }
      add(counts, bins + binOf(baseline.edges, value), 1)
      const least = extremesAt + 2 * i
      const isFirst = counts[extra + valuesAt] === 0
      if (isFirst || value < (extremes[least] as number)) extremes[least] = value
      if (isFirst || value > (extremes[least + 1] as number)) extremes[least + 1] = value
      add(counts, extra + valuesAt, 1)
      const { min, max } = baseline
      if (min === null || max === null || value < min || value > max) add(counts, extra + outsideAt, 1)
      const sum = sumsAt + sumsPerColumn * i
      add(sums, sum, z)
      add(sums, sum + 1, z * z)
      const before = previous === null ? noZ : (previous[i] as number)
      if (before === noZ) continue
      add(counts, extra + pairsAt, 1)
      add(sums, sum + 2, z * before)
    }
  }

  /** Adds what was counted in a row of this or another table of the same columns. */
  addRow(row: number, other: ColumnTable, otherRow: number): void {
    const [into, from] = [this.#extremes.read(row), other.#extremes.read(otherRow)]
    for (const [i, { baselineCounts }] of this.#columns.entries()) {
      const values = (this.#starts[i] as number) + baselineCounts.length + valuesAt
      if (other.#counts.get(otherRow, values) === 0) continue
      const isEmpty = this.#counts.get(row, values) === 0
      const [least, greatest] = [from[2 * i] as number, from[2 * i + 1] as number]
      into[2 * i] = isEmpty ? least : Math.min(into[2 * i] as number, least)
      into[2 * i + 1] = isEmpty ? greatest : Math.max(into[2 * i + 1] as number, greatest)
    }
    this.#extremes.write(row, into)
    this.#counts.write(row, added(this.#counts.read(row), other.#counts.read(otherRow)))
    this.#sums.write(row, added(this.#sums.read(row), other.#sums.read(otherRow)))
  }

  /** What was counted in a row, by column. */
  read(row: number): ColumnCounts[] {
    const [counts, sums, extremes] = [this.#counts.read(row), this.#sums.read(row), this.#extremes.read(row)]
    return this.#columns.map(({ baselineCounts }, i) => {
      const start = this.#starts[i] as number
      const extra = start + baselineCounts.length
      const [missing = 0, values = 0, pairs = 0, outside = 0] = counts.slice(extra - 1)
      const [sum = 0, squares = 0, products = 0] = sums.slice(sumsPerColumn * i)
      const [min = 0, max = 0] = extremes.slice(2 * i)
      return {
        counts: counts.slice(start, extra),
        min: values === 0 ? null : min,
        max: values === 0 ? null : max,
        count: values + missing,
        outside,
        // That values are missing is no matter of chance, however many in a row: each counts.
        effective: effectiveSize({ count: values, sum, squares, pairs, products }) + missing,
      }
    })
  }

  clear(row: number): void {
    this.#counts.clear(row)
    this.#sums.clear(row)
    this.#extremes.clear(row)
  }

  /** A row as a state has it: of each column bins, missing, least, greatest, values, Σz, Σz², pairs, Σz·z′, outside. */
  toJson(row: number): number[] {
    const [counts, sums, extremes] = [this.#counts.read(row), this.#sums.read(row), this.#extremes.read(row)]
    const slots: (number | undefined)[] = []
    for (const [i, { baselineCounts }] of this.#columns.entries()) {
      const start = this.#starts[i] as number
      const extra = start + baselineCounts.length
      const sum = sumsPerColumn * i
      for (let bin = start; bin < extra; bin++) slots.push(counts[bin])
      slots.push(extremes[2 * i], extremes[2 * i + 1], counts[extra + valuesAt])
      slots.push(sums[sum], sums[sum + 1], counts[extra + pairsAt], sums[sum + 2], counts[extra + outsideAt])
    }
    return slots as number[]
  }

  /** {@link toJson} of a row of zeros. */
  emptyJson(): number[] {
    return this.#columns.flatMap(({ baselineCounts }) =>
      new Array<number>(baselineCounts.length + slotsBesideBins).fill(0),
    )
  }

  /** Writes a row as {@link toJson} gave it. */
  fromJson(row: number, slots: readonly number[]): void {
    let next = 0
    const counts: number[] = []
    const sums: number[] = []
    const extremes: number[] = []
    for (const { baselineCounts } of this.#columns) {
      counts.push(...slots.slice(next, next + baselineCounts.length))
      next += baselineCounts.length
      const [min = 0, max = 0, values = 0, sum = 0, squares = 0, pairs = 0, products = 0, outside = 0] =
        slots.slice(next)
      next += slotsBesideBins
      counts.push(values, pairs, outside)
      sums.push(sum, squares, products)
      extremes.push(min, max)
    }
    this.#counts.write(row, counts)
    this.#sums.write(row, sums)
    this.#extremes.write(row, extremes)
  }
}

function added(into: readonly number[], from: readonly number[]): number[] {
  return into.map((value, i) => value + (from[i] as number))
}

function binOf(edges: readonly number[], value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (value >= (edges[middle] as number)) low = middle + 1
    else high = middle
  }
  return low
}

function add(array: Counts, at: number, by: number): void {
  array[at] = (array[at] as number) + by
}
