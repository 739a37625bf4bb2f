import { assert, math } from '@millwright/core'

/** What stands for an empty bin's share, so that the logarithm exists. */
const emptyBinShare = 0.0001

/**
 * Returns the population stability index of two counts over the same bins: Σ (actual − expected) · ln(actual / expected)
 * of the shares; 0 where the shares are equal, `null` where either side is empty. Symmetric.
 *
 * An empty bin counts as a share of 0.0001, or, where the least share that is not zero is no greater than that, as a
 * millionth of it; shares are not scaled to 1 again.
 *
 * Source: evidentlyai/evidently `calculations/stattests/psi.py` and `get_binned_data` of `stattests/utils.py`. Evidently
 * chooses bins from both samples; here they are the model package's, so that periods can be compared with each other.
 */
export function populationStability(expected: readonly number[], actual: readonly number[]): number | null {
  assert(expected.length === actual.length, 'both sides have the same bins')
  const wanted = filledShares(expected)
  const found = filledShares(actual)
  if (wanted === null || found === null) return null
  let sum = 0
  for (let bin = 0; bin < wanted.length; bin++) {
    const before = wanted[bin] as number
    const now = found[bin] as number
    sum += (now - before) * math.log(now / before)
  }
  return sum
}

function filledShares(counts: readonly number[]): number[] | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const shares = counts.map((count) => count / total)
  let least = 1
  for (const share of shares) if (share > 0 && share < least) least = share
  const filler = least <= emptyBinShare ? least / 1e6 : emptyBinShare
  return shares.map((share) => (share === 0 ? filler : share))
}
