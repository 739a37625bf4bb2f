import type { AggregateStatistic, RollingNode } from '@millwright/core'

/** A reading in a window, as the naive operator keeps all of them. */
export interface NaiveReading {
  readonly timestampMs: number
  /** One per channel, NaN = missing. */
  readonly values: readonly number[]
}

const present = (values: readonly number[]): number[] => values.filter((value) => !Number.isNaN(value))
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Mean by two passes: the second adds what the first lost. */
function mean(values: readonly number[]): number {
  const rough = sum(values) / values.length
  return rough + sum(values.map((value) => value - rough)) / values.length
}

/** Central moment: mean of (x − mean)^power. */
function moment(values: readonly number[], power: number): number {
  const middle = mean(values)
  return sum(values.map((value) => (value - middle) ** power)) / values.length
}

function sampleStd(values: readonly number[]): number {
  return values.length === 1 ? 0 : Math.sqrt((moment(values, 2) * values.length) / (values.length - 1))
}

/** A statistic of one channel by its textbook formula; NaN where it is missing. Readings in order of arrival. */
export function naiveStatistic(
  statistic: AggregateStatistic,
  readings: readonly NaiveReading[],
  channel: number | null,
): number {
  if (channel === null) return readings.length
  const kept = readings.filter((reading) => !Number.isNaN(reading.values[channel]))
  const values = kept.map((reading) => reading.values[channel] as number)
  if (statistic === 'count') return values.length
  if (values.length === 0) return Number.NaN
  const byTime = [...kept]
    .sort((a, b) => a.timestampMs - b.timestampMs)
    .map((reading) => reading.values[channel] as number)
  const rms = Math.sqrt(sum(values.map((value) => value * value)) / values.length)
  const constant = values.every((value) => value === values[0])
  switch (statistic) {
    case 'mean':
      return mean(values)
    case 'std':
      return sampleStd(values)
    case 'min':
      return Math.min(...values)
    case 'max':
      return Math.max(...values)
    case 'range':
      return Math.max(...values) - Math.min(...values)
    case 'first':
      return byTime[0] as number
    case 'last':
      return byTime.at(-1) as number
    case 'slope': {
      const seconds = kept.map((reading) => (reading.timestampMs - (kept[0]?.timestampMs ?? 0)) / 1000)
      const middle = mean(seconds)
      const spread = sum(seconds.map((second) => (second - middle) ** 2))
      const valueMean = mean(values)
      const joint = sum(seconds.map((second, i) => (second - middle) * ((values[i] as number) - valueMean)))
      return spread > 0 ? joint / spread : Number.NaN
    }
    case 'rms':
      return rms
    case 'skewness':
      return constant ? Number.NaN : moment(values, 3) / moment(values, 2) ** 1.5
    case 'kurtosis':
      return constant ? Number.NaN : moment(values, 4) / moment(values, 2) ** 2 - 3
    case 'crestFactor':
      return rms > 0 ? Math.max(...values.map(Math.abs)) / rms : Number.NaN
  }
}

/** Quantile by linear interpolation between order statistics. */
export function naiveQuantile(values: readonly number[], q: number): number {
  const sorted = present(values).sort((a, b) => a - b)
  if (sorted.length === 0) return Number.NaN
  const position = (sorted.length - 1) * q
  const low = sorted[Math.floor(position)] as number
  const high = sorted[Math.ceil(position)] as number
  return low + (high - low) * (position - Math.floor(position))
}

/** Statistic over the values of several windows. */
export function naiveRolling(statistic: RollingNode['statistic'], values: readonly number[]): number {
  const kept = present(values)
  if (kept.length === 0) return Number.NaN
  switch (statistic) {
    case 'mean':
      return mean(kept)
    case 'std':
      return sampleStd(kept)
    case 'min':
      return Math.min(...kept)
    case 'max':
      return Math.max(...kept)
  }
}
