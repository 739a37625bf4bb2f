import { assert } from '@millwright/core'

/**
 * Returns the Wasserstein distance of order 1 between two samples: how far values must be moved on average, in their
 * own unit, for one sample to become the other. The integral of the distance of the two distribution functions.
 *
 * Source: Vallender, "Calculation of the Wasserstein distance between probability distributions on the line" (1974).
 *
 * @param a At least one finite value; the order is free.
 */
export function wasserstein(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert(a.length > 0 && b.length > 0, 'a sample has at least one value')
  const first = Float64Array.from(a).sort()
  const second = Float64Array.from(b).sort()
  const all = Float64Array.from([...first, ...second]).sort()
  let i = 0
  let j = 0
  let sum = 0
  for (let k = 0; k + 1 < all.length; k++) {
    const value = all[k] as number
    while (i < first.length && (first[i] as number) <= value) i += 1
    while (j < second.length && (second[j] as number) <= value) j += 1
    sum += Math.abs(i / first.length - j / second.length) * ((all[k + 1] as number) - value)
  }
  return sum
}

/** Counts over bins with the ends of the outermost: bin 0 reaches from `min` to the first edge, the last one to `max`. */
export interface BinnedValues {
  readonly edges: readonly number[]
  /** One more than edges. */
  readonly counts: readonly number[]
  /** `null` where there is no value. */
  readonly min: number | null
  readonly max: number | null
}

/**
 * Like {@link wasserstein} of two counts over the same bins, values spread evenly within each bin.
 *
 * @returns `null` where a side is empty or there are no edges.
 */
export function binnedWasserstein(a: BinnedValues, b: BinnedValues): number | null {
  const first = distributionOf(a)
  const second = distributionOf(b)
  if (first === null || second === null) return null
  const places = [...new Set([...first.places, ...second.places])].sort((x, y) => x - y)
  let sum = 0
  for (let k = 0; k + 1 < places.length; k++) {
    const from = places[k] as number
    const to = places[k + 1] as number
    const atStart = justAbove(first, from) - justAbove(second, from)
    const atEnd = justBelow(first, to) - justBelow(second, to)
    // Where the straight lines cross, two triangles; else a trapezium.
    const area =
      atStart * atEnd >= 0
        ? Math.abs(atStart + atEnd) / 2
        : (atStart * atStart + atEnd * atEnd) / (2 * (Math.abs(atStart) + Math.abs(atEnd)))
    sum += area * (to - from)
  }
  return sum
}

/** A distribution function of straight lines: `shares[i]` at `places[i]`; two equal places are a jump. */
interface Distribution {
  readonly places: readonly number[]
  readonly shares: readonly number[]
}

function distributionOf({ edges, counts, min, max }: BinnedValues): Distribution | null {
  assert(counts.length === edges.length + 1, 'there is one bin more than edges')
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0 || min === null || max === null || edges.length === 0) return null
  const places = [Math.min(min, edges[0] as number), ...edges, Math.max(max, edges.at(-1) as number)]
  const shares = [0]
  let below = 0
  for (const count of counts) {
    below += count
    shares.push(below / total)
  }
  return { places, shares }
}

function justAbove({ places, shares }: Distribution, x: number): number {
  let i = places.length - 1
  while (i >= 0 && (places[i] as number) > x) i -= 1
  if (i < 0) return 0
  if (i === places.length - 1) return 1
  return between(places, shares, i, x)
}

function justBelow({ places, shares }: Distribution, x: number): number {
  let i = 0
  while (i < places.length && (places[i] as number) < x) i += 1
  if (i === 0) return 0
  if (i === places.length) return 1
  return between(places, shares, i - 1, x)
}

function between(places: readonly number[], shares: readonly number[], i: number, x: number): number {
  const from = places[i] as number
  const to = places[i + 1] as number
  const share = shares[i] as number
  return share + (((shares[i + 1] as number) - share) * (x - from)) / (to - from)
}
