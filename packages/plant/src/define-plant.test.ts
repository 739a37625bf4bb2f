import { ConfigurationError, type Plan } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as builders from './index.ts'
import {
  definePlant,
  describePlan,
  durationMs,
  formatDuration,
  hopping,
  lag,
  mean,
  session,
  std,
  tumbling,
} from './index.ts'
import { impurities } from './pure-function.ts'

const reference = {
  name: 'reference',
  channels: {
    temperature: { unit: '°C', min: 0, max: 100 },
    vibration: { unit: 'mm/s' },
    pressure: { unit: 'bar' },
  },
  cleaning: [{ channel: 'temperature', min: 0, max: 100 }],
  window: tumbling('5 min'),
  features: { tempStd: std('temperature'), vibration: mean('vibration'), pressure: mean('pressure') },
  model: 'failure',
} as const

/** Runs `definePlant` on settings that types would refuse, as a JavaScript user's are, and returns its problems. */
function problemsOf(settings: unknown): Record<string, { found: string; wanted: string }> {
  try {
    definePlant(settings as Parameters<typeof definePlant>[0])
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return Object.fromEntries(error.problems.map(({ field, ...rest }) => [field, rest]))
  }
  return {}
}

describe('definePlant()', () => {
  test('fills in the defaults of the design', () => {
    const plan = definePlant(reference)
    expect(plan.time).toEqual({
      timestamp: 'event',
      graceMs: 5000,
      allowedLatenessMs: 0,
      maxJumpMs: 86_400_000,
      maxClockAheadMs: 300_000,
      silentAfterMs: 600_000,
      forgetAfterMs: 30 * 86_400_000,
      devicesMax: 1_000_000,
    })
    expect(plan.partitionCount).toBe(3)
    expect(plan.features.map(({ name, unit }) => [name, unit])).toEqual([
      ['tempStd', '°C'],
      ['vibration', 'mm/s'],
      ['pressure', 'bar'],
    ])
    expect(plan.cleaning[0]).toEqual({
      kind: 'range',
      name: 'temperature-range',
      channel: 'temperature',
      min: 0,
      max: 100,
      onBad: 'drop',
    })
  })

  test('takes two window sizes for silence where that is more than ten minutes', () => {
    expect(definePlant({ ...reference, window: tumbling('1 h') }).time.silentAfterMs).toBe(7_200_000)
  })

  test('returns frozen data', () => {
    const plan: Plan = definePlant(reference)
    expect(Object.isFrozen(plan.features[0]?.node)).toBe(true)
    expect(() => Object.assign(plan.time, { graceMs: 1 })).toThrow(TypeError)
  })

  test('reports every mistake of several together, with field, value and what is wanted', () => {
    const problems = problemsOf({
      ...reference,
      name: 'Not A Name',
      window: { kind: 'tumbling', size: '5 minutes' },
      alert: { threshold: 80 },
      time: { grace: -1 },
      partitions: 0.5,
      colour: 'red',
    })
    expect(Object.keys(problems).sort()).toEqual([
      'alert.threshold',
      'colour',
      'name',
      'partitions',
      'time.grace',
      'window.size',
    ])
    expect(problems['alert.threshold']).toEqual({ found: '80', wanted: 'a number from 0 to 1' })
    expect(problems['window.size']?.found).toBe('"5 minutes"')
    expect(problems['window.size']?.wanted).toContain("'5 min'")
  })

  test('reports mistakes between fields together', () => {
    const problems = problemsOf({
      ...reference,
      channels: { temperature: { unit: '°C', min: 5, max: 1 }, deviceId: { unit: '1' } },
      cleaning: [{ channel: 'heat', max: 1 }, { channel: 'temperature' }],
      window: hopping({ size: '5 min', slide: '10 min' }),
      features: {
        speed: mean('speed'),
        half: builders.quantile('temperature', 50),
        before: lag(std('heat'), 0),
        chance: builders.derived([mean('temperature')], (x) => x * Math.random()),
      },
    })
    expect(Object.keys(problems).sort()).toEqual([
      'channels.deviceId',
      'channels.temperature.min',
      'cleaning[0].channel',
      'cleaning[1]',
      'features.before.of',
      'features.before.windows',
      'features.chance.compute',
      'features.half.q',
      'features.speed',
      'window.slide',
    ])
  })

  test.each([
    [{ ...reference, window: session({ gap: '1 min' }), time: { allowedLateness: '1 min' } }, 'time.allowedLateness'],
    [{ ...reference, window: hopping({ size: '7 d', slide: '1 s' }) }, 'window.slide'],
    [{ ...reference, time: { forgetAfter: '1 min' } }, 'time.forgetAfter'],
    [{ ...reference, channels: {} }, 'channels'],
    [{ ...reference, features: {} }, 'features'],
    [{ ...reference, features: { x: 5 } }, 'features.x'],
    [{ ...reference, features: { x: { node: { kind: 'magic' } } } }, 'features.x'],
    [{ ...reference, channels: { '1st': { unit: '1' } } }, 'channels.1st'],
    [{ ...reference, model: { name: 'm', trustedKeys: ['short'] } }, 'model.trustedKeys.0'],
    [{ ...reference, sinks: [{ kind: 'file', path: '../x' }] }, 'sinks.0.path'],
    [undefined, 'plant'],
  ])('refuses %j at %s', (settings, field) => {
    expect(Object.keys(problemsOf(settings))).toContain(field)
  })
})

describe('describePlan()', () => {
  test('is the same for the same results and differs where results may', () => {
    const text = describePlan(definePlant(reference))
    expect(describePlan(definePlant({ ...reference, sinks: [] }))).toBe(text)
    expect(describePlan(definePlant({ ...reference, time: { grace: '6 s' } }))).not.toBe(text)
    const withFunction = (compute: (x: number) => number) =>
      describePlan(definePlant({ ...reference, features: { x: builders.derived([mean('vibration')], compute) } }))
    expect(withFunction((x) => x + 1)).not.toBe(withFunction((x) => x + 2))
  })
})

describe('durationMs()', () => {
  test('is the inverse of formatDuration()', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => durationMs(formatDuration(ms)) === ms))
  })
  test.each(['', '5', '5min', '-5 min', '5 minutes', '0.0001 s', '1e3 s', ' 5 s'])('refuses %j', (text) => {
    expect(durationMs(text)).toBeNull()
  })
})

describe('impurities()', () => {
  test.each([
    '() => Math.random()',
    '() => Date.now()',
    '(x) => Math.exp(x)',
    '(x) => x ** 0.5',
    'async () => 1',
    "(x) => Math['exp'](x)",
    '() => performance.now()',
    '(x) => globalThis.y',
    '(x) => Math . pow(x, 2)',
  ])('finds what differs between machines in %s', (source) => {
    expect(impurities(source).length).toBeGreaterThan(0)
  })
  test.each([
    '(x) => Math.sqrt(x) + Math.abs(x) * Math.max(x, 1)',
    '(x) => { /* Date */ return x.length }',
    "(x) => 'Math.random()'.length // fetch",
    '(x) => math.exp(x)',
    '({ values }) => values.update',
  ])('passes %s', (source) => {
    expect(impurities(source)).toEqual([])
  })
})

describe('heartbeat', () => {
  const settings = {
    name: 'p',
    channels: { x: { unit: '1' } },
    window: tumbling('5 min'),
    features: { x: mean('x') },
    heartbeat: '5 s',
  } as const

  test('is none by default, and changes nothing that decides results', () => {
    const { heartbeat, ...without } = settings
    const plan = definePlant(settings)
    expect(plan.heartbeat).toEqual({ intervalMs: 5000 })
    expect(definePlant(without).heartbeat).toBeNull()
    expect(describePlan(plan)).toBe(describePlan(definePlant(without)))
  })

  test('is refused where it could not be, with the reason', () => {
    const refusal = (changed: object) => () => definePlant({ ...settings, ...changed })
    expect(refusal({ heartbeat: '500 ms' })).toThrow(/heartbeat.*500 ms.*from '1 s' to '1 min', or null/)
    expect(refusal({ time: { timestamp: 'arrival' } })).toThrow(/heartbeat.*arrival/)
    expect(refusal({ window: tumbling('2 d') })).toThrow(/heartbeat.*longer than a day/)
  })
})

describe('lines', () => {
  const settings = {
    name: 'pumps',
    channels: { temperature: { unit: '°C' } },
    window: tumbling('5 min'),
    features: { tempStd: std('temperature') },
  } as const

  test('name their machines in the order given, and change nothing that decides results', () => {
    const lines = { 'line-2': ['press-07', 'Säge 1'], 'line-1': ['press-07'] }
    const plan = definePlant({ ...settings, lines })
    expect(plan.lines).toEqual([
      { name: 'line-2', devices: ['press-07', 'Säge 1'] },
      { name: 'line-1', devices: ['press-07'] },
    ])
    expect(definePlant(settings).lines).toEqual([])
    expect(describePlan(plan)).toBe(describePlan(definePlant(settings)))
  })

  test.each([
    [{ 'line-1': ['press-*'] }, /lines\.line-1\.0.*press-\*.*a pattern cannot name/],
    [{ 'line-1': [] }, /lines\.line-1.*at least one machine/],
    [{ 'line-1': ['a', 'b', 'a'] }, /lines\.line-1.*"a".*each machine once/],
    [{ 'line-1': ['a\nb'] }, /lines\.line-1\.0/],
    [{ 'line-1': ['ä'.repeat(129)] }, /lines\.line-1\.0.*256 bytes/],
    [{ 'line-1': Array.from({ length: 1001 }, (_, i) => `m${i}`) }, /lines\.line-1.*at most 1000 machines/],
    [{ 'Line 1': ['a'] }, /lines\.Line 1.*lower-case words/],
    [Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`line-${i}`, ['a']])), /1001 lines.*at most 1000/],
  ])('%o is refused', (lines, said) => {
    expect(() => definePlant({ ...settings, lines })).toThrow(said)
  })
})
