import type { FeatureNode, Plan, TimeRules, WindowNode } from '@millwright/core'
import { planOf } from './plans.ts'
import type { Step } from './steps.ts'

/**
 * Random plans and histories of a few devices, in a small world where everything happens often: windows of seconds, jumps of a
 * minute, silence after half a minute. All numbers come from one generator, so a seed is a whole history.
 */

/** When the histories begin: 2026-01-01T00:00:00Z. */
const beginMs = 1_767_225_600_000

export interface ScenarioOptions {
  readonly window: WindowNode
  readonly timestamp?: 'event' | 'arrival'
  /** Whether records have append times; without, silence and the future guard are off. */
  readonly appendTimes?: boolean
  readonly stepCount?: number
  readonly endOfInput?: boolean
}

export interface Scenario {
  readonly plan: Plan
  readonly steps: readonly Step[]
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

/** Makes a plan with every kind of feature, and a history with every kind of trouble. */
export function randomScenario(seed: number, options: ScenarioOptions): Scenario {
  const random = seededRandom(seed)
  const { window } = options
  const mayBeLate = window.kind === 'tumbling' || window.kind === 'hopping'
  const plan = planOf({
    channels: ['a', 'b'],
    window,
    features: scenarioFeatures,
    cleaning: [
      { kind: 'range', name: 'a-range', channel: 'a', min: -100, max: 100, onBad: 'drop' },
      { kind: 'range', name: 'b-range', channel: 'b', min: null, max: 1000, onBad: 'missing' },
    ],
    time: {
      ...scenarioTime,
      timestamp: options.timestamp ?? 'event',
      allowedLatenessMs: mayBeLate && random() < 0.5 ? 15_000 : 0,
      graceMs: random() < 0.3 ? 0 : 2000,
    },
    threshold: random() < 0.5 ? 0.5 : null,
  })
  const history = new HistoryMaker(random, options.appendTimes ?? true)
  const steps: Step[] = Array.from({ length: options.stepCount ?? 120 }, () => history.next())
  if (options.endOfInput ?? random() < 0.5) steps.push({ kind: 'end' })
  return { plan, steps }
}

const encoder = new TextEncoder()

class HistoryMaker {
  readonly #random: () => number
  readonly #appendTimes: boolean
  #nowMs = beginMs
  #version = 0
  /** Lines sent lately, to be sent again. */
  readonly #sent: string[] = []

  constructor(random: () => number, appendTimes: boolean) {
    this.#random = random
    this.#appendTimes = appendTimes
  }

  next(): Step {
    const random = this.#random
    const dice = random()
    // Mostly some seconds; at times long enough for silence or for being forgotten.
    this.#nowMs += Math.floor(dice < 0.97 ? random() * 3000 : dice < 0.99 ? 35_000 : 130_000)
    const appendTimeMs = this.#appendTimes ? this.#nowMs : Number.NaN
    const kind = random()
    if (kind < 0.05) return { kind: 'heartbeat', appendTimeMs: this.#nowMs }
    if (kind < 0.12) return { kind: 'events', bytes: encoder.encode(this.#event()), appendTimeMs }
    if (kind < 0.16) return this.#activation(appendTimeMs)
    const lines = Array.from({ length: 1 + Math.floor(random() * 4) }, () => this.#line())
    return { kind: 'readings', bytes: encoder.encode(`${lines.join('\n')}\n`), appendTimeMs }
  }

  #line(): string {
    const kind = this.#random()
    if (kind < 0.02) return 'not json'
    if (kind < 0.03) return ''
    const old = this.#sent[Math.floor(this.#random() * this.#sent.length)]
    if (kind < 0.12 && old !== undefined) return old
    const line = this.#reading()
    this.#sent.push(line)
    if (this.#sent.length > 12) this.#sent.shift()
    return line
  }

  #reading(): string {
    const random = this.#random
    const place = random()
    let timestamp = this.#nowMs - Math.floor(random() * 3000)
    if (place < 0.15) timestamp -= Math.floor(random() * 25_000)
    else if (place < 0.2) timestamp += Math.floor(random() * 40_000)
    else if (place < 0.24) timestamp += 70_000 + Math.floor(random() * 30_000)
    // Whole seconds make equal times common.
    if (random() < 0.5) timestamp = Math.floor(timestamp / 1000) * 1000
    const reading: Record<string, unknown> = { deviceId: this.#device(), timestamp }
    const a = random()
    if (a < 0.85) reading['a'] = a < 0.05 ? 250 : Math.round(random() * 400 - 200) / 4
    else if (a < 0.9) reading['a'] = null
    if (random() < 0.8 || !('a' in reading))
      reading['b'] = random() < 0.05 ? 5000 : 900 + Math.round(random() * 100) / 10
    return JSON.stringify(reading)
  }

  #event(): string {
    const random = this.#random
    const type = ['maintenance', 'error', 'note'][Math.floor(random() * 3)]
    const timestamp = Math.floor((this.#nowMs - random() * 40_000 + (random() < 0.1 ? 60_000 : 0)) / 1000) * 1000
    return JSON.stringify({ deviceId: this.#device(), timestamp, type, ...(random() < 0.3 ? { detail: 'E7' } : {}) })
  }

  #activation(appendTimeMs: number): Step {
    const random = this.#random
    this.#version += 1
    const model = { version: `v${this.#version}`, probability: Math.round(random() * 100) / 100, threshold: 0.6 }
    return { kind: 'activate', model, activeFromMs: this.#nowMs + Math.floor(random() * 8000 - 3000), appendTimeMs }
  }

  #device(): string {
    return ['press-1', 'press-2', 'ö"3'][Math.floor(this.#random() * 3)] as string
  }
}
