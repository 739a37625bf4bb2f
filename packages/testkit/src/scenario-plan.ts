import type { AlertRules, DevicePolicy, FeatureNode, Plan, TimeRules, WindowNode } from '@millwright/core'
import { planOf } from './plans.ts'

export interface ScenarioOptions {
  readonly window: WindowNode
  readonly timestamp?: 'event' | 'arrival'
  /** Whether records have append times; without, silence and the future guard are off. */
  readonly appendTimes?: boolean
  readonly stepCount?: number
  readonly endOfInput?: boolean
  /** Whether the plan has an alert policy of many rules, and the history answers that go up and down. */
  readonly alertRules?: boolean
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

/** Makes an alert policy with every kind of rule, for the devices and events of the histories. */
function alertRulesFrom(random: () => number): AlertRules {
  const oneOf = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  const policy = (): DevicePolicy => {
    const of = oneOf(1, 2, 3, 4)
    const minimumDurationMs = oneOf(0, 0, 12_000, 40_000)
    const warning = oneOf(null, 0.4, 0.55)
    return {
      levels: [
        { severity: 'warning', threshold: warning, clearThreshold: oneOf(null, 0.2, 0.35) },
        ...(random() < 0.5
          ? [{ severity: 'major', threshold: 0.7, clearThreshold: oneOf(null, 0.3, 0.65) } as const]
          : []),
        ...(random() < 0.5 ? [{ severity: 'critical', threshold: 0.85, clearThreshold: 0.75 } as const] : []),
      ],
      windows: { high: 1 + Math.floor(random() * of), of },
      minimumDurationMs,
      // Before a silence, between silence and forgetting, and after it.
      clearAfterMs: oneOf(null, minimumDurationMs + 5000, 50_000, 100_000, 150_000),
    }
  }
  const mute = { atMostMs: oneOf(null, 20_000, 60_000), settleMs: oneOf(0, 0, 8000) }
  return {
    policy: policy(),
    devices: [
      { match: ['*-2'], policy: policy() },
      { match: ['press-2', 'ö*3'], policy: policy() },
    ],
    mutes: [
      { cause: 'maintenance', beginType: 'maintenance', endType: 'note', ...mute },
      ...(random() < 0.5 ? [{ cause: 'stopped', beginType: 'error', endType: 'maintenance', ...mute } as const] : []),
    ],
  }
}

/** Makes a plan with every kind of feature; the first numbers of a generator decide what the kinds of history differ in. */
export function planFrom(
  random: () => number,
  { window, timestamp = 'event', alertRules = false }: ScenarioOptions,
): Plan {
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
    ...(alertRules ? { alertRules: alertRulesFrom(random) } : {}),
  })
}

/** The plan of {@link randomScenario} by itself, made with nothing but the language: it may be bundled for plain V8. */
export function scenarioPlan(seed: number, options: ScenarioOptions): Plan {
  return planFrom(seededRandom(seed), options)
}
