import { assert, math } from '@millwright/core'

/** Result of the two-sided two-sample test of Kolmogorov and Smirnov. */
export interface KolmogorovSmirnov {
  /** Greatest distance of the two distribution functions, 0..1. */
  readonly statistic: number
  /** Chance of that distance or a greater one where both samples are of one distribution and independent. */
  readonly pValue: number
  readonly exact: boolean
}

/** Most pairs for which the exact p-value is worth its time: a few milliseconds. */
const exactPairsMax = 1_000_000

/**
 * Compares two samples; the p-value is exact up to a million pairs, beyond it the limit for large samples. Ties make it
 * conservative.
 *
 * Source: Hodges, "The significance probability of the Smirnov two-sample test" (1958).
 *
 * @param a At least one finite value; the order is free.
 */
export function kolmogorovSmirnov(a: ArrayLike<number>, b: ArrayLike<number>): KolmogorovSmirnov {
  assert(a.length > 0 && b.length > 0, 'a sample has at least one value')
  const first = Float64Array.from(a).sort()
  const second = Float64Array.from(b).sort()
  const n = first.length
  const m = second.length
  // Distances as whole multiples of 1 / (n·m), so that equal ones are equal.
  let greatest = 0
  let i = 0
  let j = 0
  while (i < n && j < m) {
    const value = Math.min(first[i] as number, second[j] as number)
    while (i < n && first[i] === value) i += 1
    while (j < m && second[j] === value) j += 1
    greatest = Math.max(greatest, Math.abs(i * m - j * n))
  }
  const statistic = greatest / (n * m)
  if (n * m > exactPairsMax)
    return { statistic, pValue: kolmogorovSurvival(statistic * Math.sqrt((n * m) / (n + m))), exact: false }
  return { statistic, pValue: exactTail(n, m, greatest), exact: true }
}

/** Chance that a random path from (0, 0) to (n, m) anywhere has |i·m − j·n| >= distance. */
function exactTail(n: number, m: number, distance: number): number {
  const row = new Float64Array(m + 1)
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i * m - j * n) >= distance) row[j] = 1
      else if (i === 0) row[j] = j === 0 ? 0 : (row[j - 1] as number)
      else if (j > 0) row[j] = ((row[j] as number) * i + (row[j - 1] as number) * j) / (i + j)
    }
  }
  return row[m] as number
}

/**
 * Compares two counts over the same bins of an ordered quantity. The distance is taken at the edges of bins only, so it is
 * at most the exact one, and the test errs to the side of no drift.
 *
 * @param expectedSize Independent values that the first side is worth, at most what it counts; likewise `actualSize`.
 *   Values of one machine in a row resemble each other: see `effectiveSize`.
 * @returns `null` where a side is empty.
 */
export function binnedKolmogorovSmirnov(
  expected: readonly number[],
  actual: readonly number[],
  { expectedSize, actualSize }: { readonly expectedSize: number; readonly actualSize: number },
): KolmogorovSmirnov | null {
  assert(expected.length === actual.length, 'both sides have the same bins')
  const expectedTotal = expected.reduce((sum, count) => sum + count, 0)
  const actualTotal = actual.reduce((sum, count) => sum + count, 0)
  if (expectedTotal === 0 || actualTotal === 0) return null
  let statistic = 0
  let below = 0
  let actualBelow = 0
  for (let bin = 0; bin < expected.length; bin++) {
    below += expected[bin] as number
    actualBelow += actual[bin] as number
    statistic = Math.max(statistic, Math.abs(below / expectedTotal - actualBelow / actualTotal))
  }
  const size = (expectedSize * actualSize) / (expectedSize + actualSize)
  return { statistic, pValue: kolmogorovSurvival(statistic * Math.sqrt(size)), exact: false }
}

/**
 * Returns the chance that Kolmogorov's limit distribution exceeds x; 1 at x <= 0.
 *
 * Source: Kolmogorov (1933); the second series is the first by Jacobi's transformation of theta functions, and
 * converges where the first does not.
 */
export function kolmogorovSurvival(x: number): number {
  if (!(x > 0)) return 1
  if (x < 1) {
    const unit = (-Math.PI * Math.PI) / (8 * x * x)
    const sum = math.exp(unit) + math.exp(9 * unit) + math.exp(25 * unit) + math.exp(49 * unit)
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum
  }
  const unit = -2 * x * x
  return 2 * (math.exp(unit) - math.exp(4 * unit) + math.exp(9 * unit) - math.exp(16 * unit))
}
