/** How often something came true at one probability. */
export interface CalibrationPoint {
  /** What the model said, 0..1. */
  readonly probability: number
  /** Predictions there; greater than 0. */
  readonly count: number
  /** Those of them that came true, 0..count. */
  readonly positives: number
}

/** A rising curve of straight lines through points; level before the first and after the last. */
export interface Curve {
  /** Strictly ascending. */
  readonly x: readonly number[]
  /** Never falling. */
  readonly y: readonly number[]
}

/**
 * Fits the never-falling curve with the least squared error by pooling adjacent violators, and joins its steps by
 * straight lines.
 *
 * Source: Barlow, Bartholomew, Bremner and Brunk, "Statistical inference under order restrictions" (1972); for
 * probabilities Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates"
 * (2002); joined as scikit-learn's `IsotonicRegression` with `out_of_bounds="clip"`.
 *
 * @param points At least one; the order is free; equal x are averaged by weight.
 */
export function isotonicCurve(
  points: readonly { readonly x: number; readonly y: number; readonly weight: number }[],
): Curve {
  const sorted = [...points].sort((a, b) => a.x - b.x)
  const merged: { x: number; sum: number; weight: number }[] = []
  for (const { x, y, weight } of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && last.x === x) {
      last.sum += y * weight
      last.weight += weight
    } else merged.push({ x, sum: y * weight, weight })
  }
  const pools: { sum: number; weight: number; size: number }[] = []
  for (const { sum, weight } of merged) {
    let pool = { sum, weight, size: 1 }
    for (let last = pools.at(-1); last !== undefined; last = pools.at(-1)) {
      if (last.sum * pool.weight < pool.sum * last.weight) break
      pool = { sum: last.sum + pool.sum, weight: last.weight + pool.weight, size: last.size + pool.size }
      pools.pop()
    }
    pools.push(pool)
  }
  return {
    x: merged.map(({ x }) => x),
    y: pools.flatMap(({ sum, weight, size }) => new Array<number>(size).fill(sum / weight)),
  }
}

/** Reads a curve at x. */
export function readCurve({ x: places, y: values }: Curve, x: number): number {
  const last = places.length - 1
  if (x <= (places[0] as number)) return values[0] as number
  if (x >= (places[last] as number)) return values[last] as number
  let low = 0
  let high = last
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((places[middle] as number) <= x) low = middle
    else high = middle
  }
  const from = places[low] as number
  const to = places[high] as number
  const value = values[low] as number
  return value + (((values[high] as number) - value) * (x - from)) / (to - from)
}
