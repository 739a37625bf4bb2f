/** Sums over values in a row, enough for their mean, variance and resemblance to their neighbours. */
export interface SeriesSums {
  readonly count: number
  readonly sum: number
  readonly squares: number
  /** Pairs of neighbours, and the sum of their products. */
  readonly pairs: number
  readonly products: number
}

/**
 * Returns how many independent values a row of resembling ones is worth: n · (1 − ρ) / (1 + ρ), ρ the correlation of
 * neighbours as in a first-order autoregression; at most n, at least 1 (0 for no value). A row of equal values is worth n:
 * what it is compared with decides.
 *
 * Source: Bayley and Hammersley, "The 'effective' number of independent observations in an autocorrelated time series"
 * (1946); for this test Weiss, "Modification of the Kolmogorov-Smirnov statistic for use with correlated data" (1978).
 */
export function effectiveSize({ count, sum, squares, pairs, products }: SeriesSums): number {
  if (count < 3 || pairs < 2) return count
  const mean = sum / count
  const variance = squares / count - mean * mean
  if (!(variance > 1e-12 * mean * mean)) return count
  const correlation = (products / pairs - mean * mean) / variance
  if (!(correlation > 0)) return count
  const bounded = Math.min(correlation, 0.999)
  return Math.max(1, (count * (1 - bounded)) / (1 + bounded))
}
