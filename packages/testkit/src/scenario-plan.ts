import type { FeatureNode, Plan, TimeRules, WindowNode } from '@millwright/core'
import { planOf } from './plans.ts'

export interface ScenarioOptions {
  readonly window: WindowNode
  readonly timestamp?: 'event' | 'arrival'
  /** Whether records have append times; without, silence and the future guard are off. */
  readonly appendTimes?: boolean
  readonly stepCount?: number
  readonly endOfInput?: boolean
}

/** Numbers in 0..1 from a seed. Source: mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const aggregate = (statistic: string, channel: string | null = 'a'): FeatureNode =>
  ({ kind: 'aggregate', statistic, channel }) as FeatureNode

/** Features of every kind. */
export const scenarioFeatures: Readonly<Record<string, FeatureNode>> = {
  count: aggregate('count', null),
  countA: aggregate('count'),
  mean: aggregate('mean'),
  std: aggregate('std'),
  min: aggregate('min'),
  max: aggregate('max'),
  range: aggregate('range'),
  first: aggregate('first'),
  last: aggregate('last'),
  slope: aggregate('slope'),
  rms: aggregate('rms'),
  skewness: aggregate('skewness'),
  kurtosis: aggregate('kurtosis'),
  crest: aggregate('crestFactor'),
  meanB: aggregate('mean', 'b'),
  slopeB: aggregate('slope', 'b'),
  lastB: aggregate('last', 'b'),
  quantile: { kind: 'quantile', channel: 'a', q: 0.3 },
  lag: { kind: 'lag', of: aggregate('mean'), windows: 2 },
  difference: { kind: 'difference', of: aggregate('max'), windows: 1 },
  rollingMean: { kind: 'rolling', statistic: 'mean', of: aggregate('mean', 'b'), windows: 3 },
  rollingStd: { kind: 'rolling', statistic: 'std', of: aggregate('max'), windows: 4 },
  rollingOfLag: {
    kind: 'rolling',
    statistic: 'max',
    of: { kind: 'lag', of: aggregate('count', null), windows: 1 },
    windows: 2,
  },
  smooth: { kind: 'exponential-mean', of: aggregate('mean', 'b'), alpha: 0.3 },
  hoursSince: { kind: 'hours-since', eventType: 'maintenance' },
  errors: { kind: 'count-of', eventType: 'error', hours: 0.01 },
  derived: {
    kind: 'derived',
    of: [aggregate('max'), aggregate('min'), { kind: 'hours-since', eventType: 'error' }],
    compute: (max, min, hours) => (max as number) - (min as number) + (Number.isNaN(hours) ? 0 : (hours as number)),
  },
  custom: {
    kind: 'custom',
    channels: ['a', 'b'],
    compute: ({ values, timestamps, windowStart }) => {
      let sum = 0
      for (const [i, time] of timestamps.entries()) {
        const a = values['a']?.[i] ?? Number.NaN
        sum += ((time - windowStart) / 1000) * (Number.isNaN(a) ? -i : a)
      }
      return sum
    },
  },
}

const scenarioTime: TimeRules = {
  timestamp: 'event',
  graceMs: 2000,
  allowedLatenessMs: 0,
  maxJumpMs: 60_000,
  maxClockAheadMs: 20_000,
  silentAfterMs: 30_000,
  forgetAfterMs: 120_000,
  devicesMax: 1000,
}

/** Makes a plan with every kind of feature; the first numbers of a generator decide what the kinds of history differ in. */
export function planFrom(random: () => number, { window, timestamp = 'event' }: ScenarioOptions): Plan {
  const mayBeLate = window.kind === 'tumbling' || window.kind === 'hopping'
  return planOf({
    channels: ['a', 'b'],
    window,
    features: scenarioFeatures,
    cleaning: [
      { kind: 'range', name: 'a-range', channel: 'a', min: -100, max: 100, onBad: 'drop' },
      { kind: 'range', name: 'b-range', channel: 'b', min: null, max: 1000, onBad: 'missing' },
    ],
    time: {
      ...scenarioTime,
      timestamp,
      allowedLatenessMs: mayBeLate && random() < 0.5 ? 15_000 : 0,
      graceMs: random() < 0.3 ? 0 : 2000,
    },
    threshold: random() < 0.5 ? 0.5 : null,
  })
}

/** The plan of {@link randomScenario} by itself, made with nothing but the language: it may be bundled for plain V8. */
export function scenarioPlan(seed: number, options: ScenarioOptions): Plan {
  return planFrom(seededRandom(seed), options)
}
