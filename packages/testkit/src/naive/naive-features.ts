import type { FeatureNode, Plan, WindowSeries } from '@millwright/core'
import { type NaiveReading, naiveQuantile, naiveRolling, naiveStatistic } from './naive-statistics.ts'

/** What a window gave: the value of each feature node, inner ones included. */
export interface NaiveEntry {
  readonly startMs: number
  readonly values: Map<FeatureNode, number>
}

export interface NaiveWindowContent {
  readonly startMs: number
  readonly endMs: number
  /** In order of arrival. */
  readonly readings: readonly NaiveReading[]
}

export interface NaiveEvent {
  readonly timestampMs: number
  readonly type: string
}

/** Calculates one feature of a window from all that is known, and notes it in `entry`. `history` holds the windows before it. */
export function naiveFeature(
  node: FeatureNode,
  plan: Plan,
  window: NaiveWindowContent,
  context: {
    readonly history: readonly NaiveEntry[]
    readonly events: readonly NaiveEvent[]
    readonly entry: NaiveEntry
  },
): number {
  const { history, events, entry } = context
  const evaluate = (inner: FeatureNode): number => naiveFeature(inner, plan, window, context)
  const earlier = (inner: FeatureNode, windows: number): number =>
    history.at(-windows) === undefined || windows > history.length
      ? Number.NaN
      : (history.at(-windows)?.values.get(inner) ?? Number.NaN)
  const channel = (name: string): number => plan.channels.findIndex((declared) => declared.name === name)
  const compute = (): number => {
    switch (node.kind) {
      case 'aggregate':
        return naiveStatistic(node.statistic, window.readings, node.channel === null ? null : channel(node.channel))
      case 'quantile':
        return naiveQuantile(
          window.readings.map((reading) => reading.values[channel(node.channel)] as number),
          node.q,
        )
      case 'lag':
        evaluate(node.of)
        return earlier(node.of, node.windows)
      case 'difference':
        return evaluate(node.of) - earlier(node.of, node.windows)
      case 'rolling': {
        const before = Array.from({ length: node.windows - 1 }, (_, i) => earlier(node.of, node.windows - 1 - i))
        return naiveRolling(node.statistic, [...before, evaluate(node.of)])
      }
      case 'exponential-mean': {
        const x = evaluate(node.of)
        const y = earlier(node, 1)
        return Number.isNaN(y) ? x : Number.isNaN(x) ? y : node.alpha * x + (1 - node.alpha) * y
      }
      case 'hours-since': {
        const times = events
          .filter((event) => event.type === node.eventType && event.timestampMs <= window.endMs)
          .map((event) => event.timestampMs)
        return times.length === 0 ? Number.NaN : (window.endMs - Math.max(...times)) / 3_600_000
      }
      case 'count-of':
        return events.filter(
          (event) =>
            event.type === node.eventType &&
            event.timestampMs <= window.endMs &&
            event.timestampMs > window.endMs - node.hours * 3_600_000,
        ).length
      case 'derived':
        return node.compute(...node.of.map(evaluate))
      case 'custom':
        return node.compute(seriesOf(window, node.channels, channel))
    }
  }
  const value = compute()
  // What overflows is missing, also for the windows that look back on it.
  entry.values.set(node, Number.isFinite(value) ? value : Number.NaN)
  return value
}

function seriesOf(
  window: NaiveWindowContent,
  names: readonly string[],
  channel: (name: string) => number,
): WindowSeries {
  const sorted = [...window.readings].sort((a, b) => a.timestampMs - b.timestampMs)
  return {
    windowStart: window.startMs,
    windowEnd: window.endMs,
    timestamps: Float64Array.from(sorted, (reading) => reading.timestampMs),
    values: Object.fromEntries(
      names.map((name) => [name, Float64Array.from(sorted, (reading) => reading.values[channel(name)] as number)]),
    ),
  }
}
