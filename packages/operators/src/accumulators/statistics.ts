import type { AggregateStatistic } from '@millwright/core'
import {
  type ChannelAccumulator,
  partExtremes,
  partFields,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partOffset,
  partSlope,
  partSum,
  partsOfStatistic,
} from './layout.ts'

/** A power of the variance below this has lost digits to underflow, and so has the moment that it divides. */
const powerMin = 1e-290

/** Reads one statistic from a window's fields; `base` is where the window's accumulators begin. */
export type ReadStatistic = (fields: Float64Array, base: number) => number

/**
 * Returns the reader of a statistic. Over no values each answers NaN (missing), except `count`, which is 0.
 *
 * Constants: `std` is the sample one (n − 1), 0 over one value. `skewness` is `scipy.stats.skew(bias=True)`, `kurtosis`
 * `scipy.stats.kurtosis(fisher=True, bias=True)`; both are missing where the values do not vary, or by less than about
 * 1e-72. `slope` is the least-squares
 * one, per second; missing unless two timestamps differ. `crestFactor` is max|x| / rms; missing where all values are 0.
 * What overflows a double is missing.
 */
export function statisticReader(statistic: AggregateStatistic, { parts, offset }: ChannelAccumulator): ReadStatistic {
  const at = (part: number): number => offset + partOffset(parts, part)
  const count: ReadStatistic = (fields, base) => fields[base + offset] as number
  const overValues = (read: ReadStatistic): ReadStatistic => {
    return (fields, base) => (count(fields, base) === 0 ? Number.NaN : read(fields, base))
  }
  const field = (position: number): ReadStatistic => overValues((fields, base) => fields[base + position] as number)
  switch (statistic) {
    case 'count':
      return count
    case 'mean': {
      const sum = at(partSum)
      return overValues(
        (fields, base) => ((fields[base + sum] as number) + (fields[base + sum + 1] as number)) / count(fields, base),
      )
    }
    case 'std': {
      const m2 = at(partMoment2) + 2
      return overValues((fields, base) => {
        const n = count(fields, base)
        return n === 1 ? 0 : Math.sqrt((fields[base + m2] as number) / (n - 1))
      })
    }
    case 'min':
      return field(at(partExtremes))
    case 'max':
      return field(at(partExtremes) + 1)
    case 'range': {
      const min = at(partExtremes)
      return overValues((fields, base) => (fields[base + min + 1] as number) - (fields[base + min] as number))
    }
    case 'first':
      return field(at(partFirst) + 1)
    case 'last':
      return field(at(partLast) + 1)
    case 'slope': {
      const time = at(partSlope)
      return overValues((fields, base) => {
        const timeMoment = fields[base + time + 2] as number
        return timeMoment > 0 ? ((fields[base + time + 3] as number) / timeMoment) * 1000 : Number.NaN
      })
    }
    case 'rms':
      return overValues(rootMeanSquare(at(partMoment2), count))
    case 'skewness': {
      const m2 = at(partMoment2) + 2
      const m3 = at(partMoment3)
      return overValues((fields, base) => {
        const n = count(fields, base)
        const variance = (fields[base + m2] as number) / n
        const power = variance * Math.sqrt(variance)
        return power > powerMin ? (fields[base + m3] as number) / n / power : Number.NaN
      })
    }
    case 'kurtosis': {
      const m2 = at(partMoment2) + 2
      const m4 = at(partMoment4)
      return overValues((fields, base) => {
        const n = count(fields, base)
        const variance = (fields[base + m2] as number) / n
        const power = variance * variance
        return power > powerMin ? (fields[base + m4] as number) / n / power - 3 : Number.NaN
      })
    }
    case 'crestFactor': {
      const rms = rootMeanSquare(at(partMoment2), count)
      const min = at(partExtremes)
      return overValues((fields, base) => {
        const root = rms(fields, base)
        const peak = Math.max(Math.abs(fields[base + min] as number), Math.abs(fields[base + min + 1] as number))
        return root > 0 ? peak / root : Number.NaN
      })
    }
  }
}

/**
 * Returns whether a window has all that a statistic is calculated from. It has not where an earlier plan did not keep a part: that part's
 * fields are then NaN, and stay so whatever is added (P1 of `state-migration.ts`). A sum that overflowed in both directions looks the same.
 */
export function statisticKnown(
  statistic: AggregateStatistic,
  { parts, offset }: ChannelAccumulator,
): (fields: Float64Array, base: number) => boolean {
  const wanted = partsOfStatistic[statistic]
  const firsts = partFields.flatMap(([part]) => ((wanted & part) === 0 ? [] : [offset + partOffset(parts, part)]))
  return (fields, base) => firsts.every((first) => !Number.isNaN(fields[base + first] as number))
}

/** √(mean² + variance): both terms are positive, so nothing cancels, whatever the offset. */
function rootMeanSquare(moments: number, count: ReadStatistic): ReadStatistic {
  return (fields, base) => {
    const mean = (fields[base + moments] as number) + (fields[base + moments + 1] as number)
    return Math.sqrt(mean * mean + (fields[base + moments + 2] as number) / count(fields, base))
  }
}
