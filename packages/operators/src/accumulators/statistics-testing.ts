import { type AggregateStatistic, aggregateStatistics, type Plan } from '@millwright/core'
import { Fold, foldRowsMax, windowHeaderFloats } from '@millwright/kernels'
import { quantile } from '../features/quantile.ts'
import { accumulatorLayout } from './layout.ts'
import { merge } from './merge.ts'
import { statisticReader } from './statistics.ts'

/** A series as the oracle reads it: `null` is a missing value. */
export interface Series {
  readonly name: string
  readonly times: readonly number[]
  readonly values: readonly (number | null)[]
}

/**
 * Calculates every statistic of a series the product's way.
 *
 * @param splitAt Where to cut it in two windows that are then merged, as sessions are; `null` for none.
 */
export function answersOf(series: Series, splitAt: number | null = null): Record<string, number | null> {
  const layout = accumulatorLayout(planOf(aggregateStatistics))
  const [channel] = layout.channels
  if (channel === undefined) throw new Error('the layout keeps the channel')
  const fold = new Fold({
    channelCount: 1,
    rules: [],
    accumulators: layout.channels,
    accumulatorFields: layout.fieldCount,
    windowsPerReading: 1,
    arrival: false,
    maxJumpMs: 0,
    maxClockAheadMs: 0,
    silentAfterMs: 0,
  })
  const slots = [fold.addWindow(), fold.addWindow()] as const
  const column = Float64Array.from(series.values, (value) => value ?? Number.NaN)
  for (const [row, value] of column.entries()) {
    fold.writeReading(foldRowsMax, series.times[row] as number, Float64Array.of(value))
    fold.addToWindow(foldRowsMax, slots[splitAt !== null && row >= splitAt ? 1 : 0])
  }
  const base = slots[0] + windowHeaderFloats
  merge(layout, fold.floats, base, slots[1] + windowHeaderFloats)
  const answers: Record<string, number | null> = {}
  const answer = (name: string, value: number): void => {
    answers[name] = Number.isNaN(value) ? null : value
  }
  for (const statistic of aggregateStatistics) answer(statistic, statisticReader(statistic, channel)(fold.floats, base))
  for (const q of [10, 50, 97]) answer(`q${q}`, quantile(column, q / 100))
  return answers
}

/** A plan of one channel with these statistics; only what the layout reads of it. */
export function planOf(kept: readonly AggregateStatistic[]): Plan {
  return {
    channels: [{ name: 'x' }],
    features: kept.map((statistic) => ({ name: statistic, node: { kind: 'aggregate', statistic, channel: 'x' } })),
  } as unknown as Plan
}

/** Returns what is wrong with an answer, `null` where it is right to 1e-9 relative. */
export function wrongness(name: string, answer: number | null, oracle: Record<string, number | null>): string | null {
  const wanted = oracle[name] ?? null
  if (answer === null || wanted === null) return answer === wanted ? null : `${name}: ${answer}, wanted ${wanted}`
  // Skewness, kurtosis and slope may be near 0 by cancellation: their scale is that of the values' spread.
  const scale =
    name === 'skewness' || name === 'kurtosis'
      ? Math.max(1, Math.abs(wanted))
      : name === 'slope'
        ? Math.max(oracle['slopeScale'] ?? 0, Math.abs(wanted))
        : Math.abs(wanted)
  return Math.abs(answer - wanted) <= 1e-9 * scale + 1e-300 ? null : `${name}: ${answer}, wanted ${wanted}`
}
