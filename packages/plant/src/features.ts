import type { AggregateStatistic, FeatureNode, WindowSeries } from '@millwright/core'

/**
 * A feature as a project writes it. `Channel` is the union of channel names it reads, so that a name that the plant
 * does not declare is an error in the editor.
 */
export interface Feature<Channel extends string = string> {
  readonly node: FeatureNode
  /** Unit of the value; where absent, it follows from the channel. */
  readonly unit?: string
  /** Carries the type only; never set. */
  readonly channel?: Channel
}

function aggregate<C extends string>(statistic: AggregateStatistic, channel: C): Feature<C> {
  return { node: { kind: 'aggregate', statistic, channel } }
}

/** Number of accepted readings in the window; with a channel, of its values that are not missing. Never missing itself. */
export function count<C extends string = never>(channel?: C): Feature<C> {
  return { node: { kind: 'aggregate', statistic: 'count', channel: channel ?? null } }
}

/** Arithmetic mean of the channel's values in the window, in the channel's unit. Missing over no values. */
export const mean = <C extends string>(channel: C): Feature<C> => aggregate('mean', channel)

/** Sample standard deviation (n − 1), in the channel's unit; 0 over one value, missing over none. */
export const std = <C extends string>(channel: C): Feature<C> => aggregate('std', channel)

/** Smallest value. Missing over no values. */
export const min = <C extends string>(channel: C): Feature<C> => aggregate('min', channel)

/** Largest value. Missing over no values. */
export const max = <C extends string>(channel: C): Feature<C> => aggregate('max', channel)

/** Largest minus smallest value. Missing over no values. */
export const range = <C extends string>(channel: C): Feature<C> => aggregate('range', channel)

/** The value with the smallest timestamp; among equal ones the first to arrive. */
export const first = <C extends string>(channel: C): Feature<C> => aggregate('first', channel)

/** The value with the greatest timestamp; among equal ones the last to arrive. */
export const last = <C extends string>(channel: C): Feature<C> => aggregate('last', channel)

/** Least-squares slope over event time, in the channel's unit per second. Missing unless two timestamps differ. */
export const slope = <C extends string>(channel: C): Feature<C> => aggregate('slope', channel)

/** Root of the mean square, in the channel's unit. Missing over no values. */
export const rms = <C extends string>(channel: C): Feature<C> => aggregate('rms', channel)

/** Third standardised moment (biased, as `scipy.stats.skew`), dimensionless. Missing where the values do not vary. */
export const skewness = <C extends string>(channel: C): Feature<C> => aggregate('skewness', channel)

/** Excess kurtosis (biased, as `scipy.stats.kurtosis`), dimensionless; 0 for a normal distribution. Missing where the values do not vary. */
export const kurtosis = <C extends string>(channel: C): Feature<C> => aggregate('kurtosis', channel)

/** Largest absolute value over the root of the mean square, dimensionless, ≥ 1. Missing where all values are 0. */
export const crestFactor = <C extends string>(channel: C): Feature<C> => aggregate('crestFactor', channel)

/**
 * Quantile with linear interpolation between order statistics (NumPy's default, Hyndman–Fan type 7). Keeps the
 * window's raw values in memory.
 *
 * @param q 0..1.
 */
export function quantile<C extends string>(channel: C, q: number): Feature<C> {
  return { node: { kind: 'quantile', channel, q } }
}

/** `feature` of the window that many existing windows earlier; missing where there is none. */
export function lag<C extends string>(feature: Feature<C>, windows = 1): Feature<C> {
  return withUnitOf(feature, { kind: 'lag', of: feature.node, windows })
}

/** `feature` now minus `feature` that many windows earlier. */
export function difference<C extends string>(feature: Feature<C>, windows = 1): Feature<C> {
  return withUnitOf(feature, { kind: 'difference', of: feature.node, windows })
}

/** A statistic of `feature` over this window and the ones before it, `windows` in all, as far as they exist. */
export function rolling<C extends string>(
  statistic: 'mean' | 'std' | 'min' | 'max',
  feature: Feature<C>,
  windows: number,
): Feature<C> {
  return withUnitOf(feature, { kind: 'rolling', statistic, of: feature.node, windows })
}

/** Exponentially weighted mean across windows: `y = alpha·x + (1 − alpha)·y`. @param alpha 0 < alpha <= 1. */
export function exponentialMean<C extends string>(feature: Feature<C>, alpha: number): Feature<C> {
  return withUnitOf(feature, { kind: 'exponential-mean', of: feature.node, alpha })
}

/** Hours from the newest device event of the type (for example `'maintenance'`) to the window's end; missing when none. */
export function hoursSince(eventType: string): Feature<never> {
  return { node: { kind: 'hours-since', eventType } }
}

/** Number of device events of the type in the last `hours` before the window's end. Never missing. */
export function countOf(eventType: string, options: { readonly hours: number }): Feature<never> {
  return { node: { kind: 'count-of', eventType, hours: options.hours } }
}

/**
 * Your own pure function of other features. It must answer a number (NaN = missing) from its arguments alone:
 * no clock, no chance, and of `Math` only what is exact on every machine (`math` of `@millwright/core` has the rest).
 *
 * @example derived([max('temperature'), mean('temperature')], (max, mean) => max / mean)
 */
export function derived<C extends string>(
  of: readonly Feature<C>[],
  compute: (...values: number[]) => number,
  options: { readonly unit?: string } = {},
): Feature<C> {
  return { node: { kind: 'derived', of: of.map((feature) => feature.node), compute }, ...options }
}

/**
 * Your own pure function of the window's raw values, oldest first. The same rules as for {@link derived}.
 *
 * @example custom(['vibration'], ({ values }) => values.vibration.filter((v) => v > 4).length)
 */
export function custom<C extends string>(
  channels: readonly C[],
  compute: (series: WindowSeries & { readonly values: Readonly<Record<C, Float64Array>> }) => number,
  options: { readonly unit?: string } = {},
): Feature<C> {
  // The engine hands over exactly the declared channels, which is what the narrower parameter type says.
  return { node: { kind: 'custom', channels, compute: compute as (series: WindowSeries) => number }, ...options }
}

function withUnitOf<C extends string>(feature: Feature<C>, node: FeatureNode): Feature<C> {
  return feature.unit === undefined ? { node } : { node, unit: feature.unit }
}
