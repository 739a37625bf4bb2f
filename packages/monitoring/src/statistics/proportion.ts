import { assert } from '@millwright/core'

/** A share with its 95 % interval; all `null` where there was nothing to take a share of. */
export interface Proportion {
  /** 0..1. */
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
  /** What the share is of. */
  readonly count: number
}

/** Quantile of the standard normal distribution at 0.975, for 95 % intervals. */
export const z95 = 1.959963984540054

/**
 * Returns `successes / trials` with Wilson's score interval, which stays within 0..1 and is sound for few trials and for
 * shares near the ends, where the usual ± 1.96 standard errors is not.
 *
 * Source: Wilson, "Probable inference, the law of succession, and statistical inference" (1927); recommended by Brown,
 * Cai and DasGupta, "Interval estimation for a binomial proportion" (2001).
 *
 * @param successes 0..trials; may be fractional, as an expected count is.
 * @param trials 0 or more; at 0 all is `null`.
 */
export function proportion(successes: number, trials: number, z = z95): Proportion {
  assert(successes >= 0 && successes <= trials, 'a share is of what it is a part of')
  if (trials === 0) return { value: null, low: null, high: null, count: 0 }
  const value = successes / trials
  const zz = z * z
  const centre = (value + zz / (2 * trials)) / (1 + zz / trials)
  const half = (z / (1 + zz / trials)) * Math.sqrt((value * (1 - value)) / trials + zz / (4 * trials * trials))
  // At the ends the bound is the end itself, but for rounding.
  const low = successes === 0 ? 0 : Math.max(0, centre - half)
  const high = successes === trials ? 1 : Math.min(1, centre + half)
  return { value, low, high, count: trials }
}

/**
 * Returns F1 = 2·TP / (2·TP + FP + FN) with an interval. F1 is no share, but a rising function of one:
 * F* = TP / (TP + FP + FN), F1 = 2F* / (1 + F*), so Wilson's bounds of F* carry over.
 *
 * Source: Hand, Christen and Kirielle, "F*: an interpretable transformation of the F-measure" (2021).
 */
export function f1Score(truePositives: number, falsePositives: number, falseNegatives: number): Proportion {
  const star = proportion(truePositives, truePositives + falsePositives + falseNegatives)
  const carry = (share: number | null): number | null => (share === null ? null : (2 * share) / (1 + share))
  return { value: carry(star.value), low: carry(star.low), high: carry(star.high), count: star.count }
}
