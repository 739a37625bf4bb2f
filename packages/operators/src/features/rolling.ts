import type { RollingNode } from '@millwright/core'

/**
 * Returns a statistic of the first `count` values, NaN (missing) left out; NaN where none is left. `std` is the sample one
 * (n − 1), 0 over one value.
 */
export function rollingStatistic(statistic: RollingNode['statistic'], values: Float64Array, count: number): number {
  switch (statistic) {
    case 'mean':
      return mean(values, count)
    case 'std':
      return standardDeviation(values, count)
    case 'min':
      return extreme(values, count, (value, found) => value < found)
    case 'max':
      return extreme(values, count, (value, found) => value > found)
  }
}

/** By Neumaier's sum (1974), so that values which cancel keep their digits. */
function mean(values: Float64Array, count: number): number {
  let n = 0
  let sum = 0
  let compensation = 0
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) continue
    n += 1
    const next = sum + value
    compensation += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
    sum = next
  }
  return n === 0 ? Number.NaN : (sum + compensation) / n
}

/** Two passes over the values minus the first one, so that a large offset costs no digits. */
function standardDeviation(values: Float64Array, count: number): number {
  let n = 0
  let origin = 0
  let sum = 0
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) continue
    if (n === 0) origin = value
    n += 1
    sum += value - origin
  }
  if (n < 2) return n === 0 ? Number.NaN : 0
  const shiftedMean = sum / n
  let rest = 0
  let squares = 0
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    if (Number.isNaN(value)) continue
    const difference = value - origin - shiftedMean
    rest += difference
    squares += difference * difference
  }
  // The differences' own sum is what the mean's rounding left over (Chan, Golub and LeVeque 1983).
  return Math.sqrt(Math.max(0, squares - (rest * rest) / n) / (n - 1))
}

function extreme(values: Float64Array, count: number, beats: (value: number, found: number) => boolean): number {
  let found = Number.NaN
  for (let i = 0; i < count; i++) {
    const value = values[i] as number
    if (!Number.isNaN(value) && (Number.isNaN(found) || beats(value, found))) found = value
  }
  return found
}
