import { z95 } from './proportion.ts'

/** A median with its 95 % interval; all `null` where there was no value. */
export interface Median {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
  readonly count: number
}

/**
 * Returns the median of values given as how often each occurs, with bounds that hold whatever their distribution: the
 * values of the ranks n/2 ∓ 1.96·√n/2. With fewer than six values the bounds are the least and the greatest, and hold
 * less often than 95 % of the time.
 *
 * Source: Campbell and Gardner, "Calculating confidence intervals for some non-parametric analyses" (1988).
 *
 * @param counts Value to how often it occurs; the order is free.
 */
export function medianOfCounts(counts: ReadonlyMap<number, number>): Median {
  const sorted = [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => a - b)
  const count = sorted.reduce((sum, [, times]) => sum + times, 0)
  if (count === 0) return { value: null, low: null, high: null, count }
  // Ranks from 1, as the source has them.
  const atRank = (rank: number): number => {
    let passed = 0
    for (const [value, times] of sorted) {
      passed += times
      if (passed >= rank) return value
    }
    return sorted.at(-1)?.[0] as number
  }
  const value = (atRank(Math.floor((count + 1) / 2)) + atRank(Math.ceil((count + 1) / 2))) / 2
  const half = (z95 * Math.sqrt(count)) / 2
  const low = atRank(Math.max(1, Math.round(count / 2 - half)))
  const high = atRank(Math.min(count, Math.round(1 + count / 2 + half)))
  return { value, low, high, count }
}
