import { limits } from '@millwright/core'

/** A sequence of numbers in [0, 1), the same for the same seed. */
export type Chance = () => number

/**
 * Chance from a seed of 32 bits: a counter through the finaliser of MurmurHash3 (Austin Appleby, public domain), which passes
 * avalanche tests. No secrets are made of it.
 */
export function chanceOf(seed: number): Chance {
  let counter = seed | 0
  return () => {
    counter = (counter + 0x9e3779b9) | 0
    let word = counter
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return ((word ^ (word >>> 16)) >>> 0) / 4294967296
  }
}

const firstPauseMs = 1000

/**
 * Returns how long to wait before the next attempt, milliseconds: 1, 2, 4… s up to a minute, of which a random half is left out, so
 * that many plants do not come back to one peer at the same moment. What the peer asked for is waited for at least, up to an hour.
 *
 * Source of the form: Marc Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015), equal jitter.
 *
 * @param failures In a row, 1 or more.
 */
export function retryPauseMs(failures: number, retryAfterMs: number | null, chance: Chance): number {
  const full = Math.min(limits.notifyPauseMsMax, firstPauseMs * 2 ** Math.min(failures - 1, 30))
  const own = full / 2 + (full / 2) * chance()
  return Math.max(own, Math.min(retryAfterMs ?? 0, limits.notifyRetryAfterMsMax))
}
