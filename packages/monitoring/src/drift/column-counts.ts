import { effectiveSize } from '../statistics/effective-size.ts'
import type { DriftColumn } from './drift-reference.ts'

/**
 * Live values of one column over one period, as whole numbers and extremes, so that sums over a fleet have no order. The
 * numbers lie in a flat array, many columns one after another: a hundred thousand machines have one each.
 *
 * Layout: bins, missing, least, greatest, values, Σz, Σz², pairs, Σz·z′, values outside what training saw. z is the value brought to the baseline's size
 * in steps of 1/256, kept within 10 sizes; pairs are neighbours in a machine's row of windows.
 */
const extraSlots = 8

export function columnSlots({ baselineCounts }: DriftColumn): number {
  return baselineCounts.length + extraSlots
}

const zUnit = 256
const zMax = 10 * zUnit

/** Brings a value to the baseline's size; `null` for a missing one. */
export function sizeless({ centre, scale }: DriftColumn, value: number | null): number | null {
  if (value === null) return null
  const z = Math.floor(((value - centre) / scale) * zUnit + 0.5)
  return Math.max(-zMax, Math.min(zMax, z))
}

/** Counts a value. @param previous `sizeless` of the machine's value before, `null` where there was none. */
export function countValue(
  slots: number[],
  at: number,
  column: DriftColumn,
  value: number | null,
  previous: number | null,
): void {
  const binCount = column.baselineCounts.length
  const z = sizeless(column, value)
  if (value === null || z === null) {
    add(slots, at + binCount - 1, 1)
    return
  }
  add(slots, at + binOf(column.baseline.edges, value), 1)
  const extra = at + binCount
  if (slots[extra + 2] === 0 || value < (slots[extra] as number)) slots[extra] = value
  if (slots[extra + 2] === 0 || value > (slots[extra + 1] as number)) slots[extra + 1] = value
  add(slots, extra + 2, 1)
  add(slots, extra + 3, z)
  add(slots, extra + 4, z * z)
  const { min, max } = column.baseline
  if (min === null || max === null || value < min || value > max) add(slots, extra + 7, 1)
  if (previous === null) return
  add(slots, extra + 5, 1)
  add(slots, extra + 6, z * previous)
}

/** Adds the counts of one column to another's. */
export function addColumn(
  into: number[],
  intoAt: number,
  from: readonly number[],
  fromAt: number,
  column: DriftColumn,
): void {
  const extra = column.baselineCounts.length
  const fromValues = from[fromAt + extra + 2] as number
  if (fromValues > 0) {
    const empty = into[intoAt + extra + 2] === 0
    const [least, greatest] = [from[fromAt + extra] as number, from[fromAt + extra + 1] as number]
    into[intoAt + extra] = empty ? least : Math.min(into[intoAt + extra] as number, least)
    into[intoAt + extra + 1] = empty ? greatest : Math.max(into[intoAt + extra + 1] as number, greatest)
  }
  for (let i = 0; i < columnSlots(column); i++)
    if (i !== extra && i !== extra + 1) add(into, intoAt + i, from[fromAt + i] as number)
}

/** What `countValue` counted, for comparing. */
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

export function readColumn(slots: readonly number[], at: number, column: DriftColumn): ColumnCounts {
  const binCount = column.baselineCounts.length
  const counts = slots.slice(at, at + binCount)
  const extra = slots.slice(at + binCount, at + binCount + extraSlots)
  const [min = 0, max = 0, values = 0, sum = 0, squares = 0, pairs = 0, products = 0, outside = 0] = extra
  const missing = counts[binCount - 1] as number
  const effective = effectiveSize({ count: values, sum, squares, pairs, products })
  return {
    counts,
    min: values === 0 ? null : min,
    max: values === 0 ? null : max,
    count: values + missing,
    outside,
    // That values are missing is no matter of chance, however many in a row: each counts.
    effective: effective + missing,
  }
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

function add(slots: number[], at: number, by: number): void {
  slots[at] = (slots[at] as number) + by
}
