import type { ReadingRun } from '../windows/reading-run.ts'
import {
  type AccumulatorLayout,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
} from './layout.ts'

/**
 * Adds readings to windows' running values, and joins two windows' values.
 *
 * A1. Moments are those of x − origin, where origin is the channel's first value in the window: values near 1e12 that vary by
 *     1e-3 keep their digits, since the subtraction is exact (Sterbenz) and everything after it is small.
 * A2. All fields start as zero; `count` 0 says that the others mean nothing yet.
 * A3. Sources: Welford (1962); Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
 *     statistical moments", Sandia SAND2008-6212, equations 1.1–2.1 (one value) and 3.1 (two sets); Neumaier (1974).
 */

/** The table of windows that a run goes to. */
export interface AccumulatorTable {
  readonly floats: Float64Array
  /** Fields from one window to the next. */
  readonly stride: number
  /** First accumulator field of a window. */
  readonly offset: number
}

/** Adds one channel's values of a run. A NaN is missing and changes nothing. */
export function accumulate(
  table: AccumulatorTable,
  parts: number,
  channelOffset: number,
  run: ReadingRun,
  column: Float64Array,
  timestampsMs: Float64Array,
): void {
  const { floats: fields, stride } = table
  const { first, count, slots } = run
  const offset = table.offset + channelOffset
  // Decided once: an imported constant is loaded anew wherever a loop names it.
  const keepsSum = (parts & partSum) !== 0
  const keepsMoment2 = (parts & partMoment2) !== 0
  const keepsMoment3 = (parts & partMoment3) !== 0
  const keepsMoment4 = (parts & partMoment4) !== 0
  const keepsSlope = (parts & partSlope) !== 0
  const keepsExtremes = (parts & partExtremes) !== 0
  const keepsFirst = (parts & partFirst) !== 0
  const keepsLast = (parts & partLast) !== 0
  // The parts stand in order of their bits: most channels are done after their sum or their second moment.
  const endsWithSum = parts < partMoment2
  const endsWithMoment2 = parts < partMoment3
  for (let i = 0; i < count; i++) {
    const row = first + i
    const x = column[row] as number
    if (Number.isNaN(x)) continue
    let at = (slots[i] as number) * stride + offset
    const n = (fields[at] as number) + 1
    fields[at] = n
    at += 1
    if (keepsSum) {
      const before = fields[at] as number
      const sum = before + x
      const lost = Math.abs(before) >= Math.abs(x) ? before - sum + x : x - sum + before
      fields[at] = sum
      fields[at + 1] = (fields[at + 1] as number) + lost
      at += 2
    }
    if (endsWithSum) continue
    if (keepsMoment2) {
      if (n === 1) fields[at] = x
      const shifted = x - (fields[at] as number)
      const mean = fields[at + 1] as number
      const m2 = fields[at + 2] as number
      const difference = shifted - mean
      const step = difference / n
      const term = difference * step * (n - 1)
      fields[at + 1] = mean + step
      fields[at + 2] = m2 + term
      at += 3
      if (endsWithMoment2) continue
      if (keepsMoment3) {
        const m3 = fields[at] as number
        fields[at] = m3 + term * step * (n - 2) - 3 * step * m2
        at += 1
        if (keepsMoment4) {
          fields[at] =
            (fields[at] as number) + term * step * step * (n * n - 3 * n + 3) + 6 * step * step * m2 - 4 * step * m3
          at += 1
        }
      }
      if (keepsSlope) {
        const timestampMs = timestampsMs[row] as number
        if (n === 1) fields[at] = timestampMs
        const elapsed = timestampMs - (fields[at] as number)
        const elapsedDifference = elapsed - (fields[at + 1] as number)
        const elapsedMean = (fields[at + 1] as number) + elapsedDifference / n
        fields[at + 1] = elapsedMean
        fields[at + 2] = (fields[at + 2] as number) + elapsedDifference * (elapsed - elapsedMean)
        fields[at + 3] = (fields[at + 3] as number) + elapsedDifference * (shifted - (mean + step))
        at += 4
      }
    }
    if (keepsExtremes) {
      if (n === 1 || x < (fields[at] as number)) fields[at] = x
      if (n === 1 || x > (fields[at + 1] as number)) fields[at + 1] = x
      at += 2
    }
    if (keepsFirst) {
      const timestampMs = timestampsMs[row] as number
      // Strictly earlier: of equal times the first to arrive stays.
      if (n === 1 || timestampMs < (fields[at] as number)) {
        fields[at] = timestampMs
        fields[at + 1] = x
      }
      at += 2
    }
    if (keepsLast) {
      const timestampMs = timestampsMs[row] as number
      if (n === 1 || timestampMs >= (fields[at] as number)) {
        fields[at] = timestampMs
        fields[at + 1] = x
      }
    }
  }
}

/**
 * Adds the values of one window to those of another. Where both have a first or last value of one time, that of the window which
 * takes arrived first.
 */
export function merge(layout: AccumulatorLayout, table: AccumulatorTable, intoSlot: number, fromSlot: number): void {
  const into = table.floats
  const from = into
  for (const { parts, offset } of layout.channels) {
    let a = intoSlot * table.stride + table.offset + offset
    let b = fromSlot * table.stride + table.offset + offset
    const na = into[a] as number
    const nb = from[b] as number
    if (nb === 0) continue
    const n = na + nb
    into[a] = n
    a += 1
    b += 1
    const skip = (fields: number): void => {
      a += fields
      b += fields
    }
    if ((parts & partSum) !== 0) {
      const x = into[a] as number
      const y = from[b] as number
      const sum = x + y
      into[a + 1] =
        (into[a + 1] as number) + (from[b + 1] as number) + (Math.abs(x) >= Math.abs(y) ? x - sum + y : y - sum + x)
      into[a] = sum
      skip(2)
    }
    if ((parts & partMoment2) !== 0) {
      if (na === 0) into[a] = from[b] as number
      // Difference of the two means: the origins' first, which is small and exact where both windows are of one level.
      const difference = (from[b] as number) - (into[a] as number) + ((from[b + 1] as number) - (into[a + 1] as number))
      const m2a = into[a + 2] as number
      const m2b = from[b + 2] as number
      const step = difference / n
      const term = difference * step * na * nb
      into[a + 1] = (into[a + 1] as number) + step * nb
      into[a + 2] = m2a + m2b + term
      skip(3)
      if ((parts & partMoment3) !== 0) {
        const m3a = into[a] as number
        const m3b = from[b] as number
        into[a] = m3a + m3b + term * step * (na - nb) + 3 * step * (na * m2b - nb * m2a)
        skip(1)
        if ((parts & partMoment4) !== 0) {
          into[a] =
            (into[a] as number) +
            (from[b] as number) +
            term * step * step * (na * na - na * nb + nb * nb) +
            6 * step * step * (na * na * m2b + nb * nb * m2a) +
            4 * step * (na * m3b - nb * m3a)
          skip(1)
        }
      }
      if ((parts & partSlope) !== 0) {
        if (na === 0) into[a] = from[b] as number
        const elapsed = (from[b] as number) - (into[a] as number) + ((from[b + 1] as number) - (into[a + 1] as number))
        const elapsedStep = elapsed / n
        into[a + 1] = (into[a + 1] as number) + elapsedStep * nb
        into[a + 2] = (into[a + 2] as number) + (from[b + 2] as number) + elapsed * elapsedStep * na * nb
        into[a + 3] = (into[a + 3] as number) + (from[b + 3] as number) + elapsedStep * difference * na * nb
        skip(4)
      }
    }
    if ((parts & partExtremes) !== 0) {
      if (na === 0 || (from[b] as number) < (into[a] as number)) into[a] = from[b] as number
      if (na === 0 || (from[b + 1] as number) > (into[a + 1] as number)) into[a + 1] = from[b + 1] as number
      skip(2)
    }
    if ((parts & partFirst) !== 0) {
      if (na === 0 || (from[b] as number) < (into[a] as number)) {
        into[a] = from[b] as number
        into[a + 1] = from[b + 1] as number
      }
      skip(2)
    }
    if ((parts & partLast) !== 0 && (na === 0 || (from[b] as number) >= (into[a] as number))) {
      into[a] = from[b] as number
      into[a + 1] = from[b + 1] as number
    }
  }
}
