/**
 * Returns the quantile of the values that are not NaN; NaN where there are none.
 *
 * Linear interpolation between order statistics, Hyndman and Fan (1996) type 7: NumPy's default, calculated from the nearer
 * neighbour as NumPy does.
 *
 * @param q 0..1.
 */
export function quantile(values: Float64Array, q: number): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort()
  if (sorted.length === 0) return Number.NaN
  const position = (sorted.length - 1) * q
  const below = Math.floor(position)
  const low = sorted[below] as number
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number
  const fraction = position - below
  return fraction < 0.5 ? low + (high - low) * fraction : high - (high - low) * (1 - fraction)
}
