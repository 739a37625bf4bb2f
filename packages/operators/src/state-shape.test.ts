import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DevicePolicy,
  type DeviceStateEntry,
  type FeatureNode,
  type Plan,
  StateFormatError,
  type TimeRules,
} from '@millwright/core'
import { createPlanDriver, plainDecoder, planOf, scenarioFeatures } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import {
  compareStateShapes,
  createHostedOperator,
  createPartitionOperator,
  type StateShape,
  stateShape,
  stateShapeHash,
} from './index.ts'

const fixtures = join(import.meta.dirname, '../../../fixtures/device-state')
const startMs = 1_766_000_000_000

/** The plan of the fixture: `device-state.test.ts`. */
const fixturePlan = planOf({
  channels: ['a', 'b'],
  features: scenarioFeatures,
  time: { allowedLatenessMs: 60_000, maxJumpMs: 3_600_000, silentAfterMs: 60_000 },
})

const mean: FeatureNode = { kind: 'aggregate', statistic: 'mean', channel: 'x' }
const max: FeatureNode = { kind: 'aggregate', statistic: 'max', channel: 'x' }
const lag = (of: FeatureNode, windows: number): FeatureNode => ({ kind: 'lag', of, windows })
const derived = (compute: (x: number) => number): FeatureNode => ({
  kind: 'derived',
  of: [mean],
  compute: compute as (...values: number[]) => number,
})
const sum = (x: number): number => x + 1
const product = (x: number): number => x * 100

/** A plan whose windows close at their end. */
const planAtOnce = (features: Record<string, FeatureNode>): Plan => planOf({ features, time: { graceMs: 0 } })

/** Takes messages that nobody looks at. */
const ignore = (): void => undefined

/** A driver under one plan goes on under another, as one reading a window of 10 s comes of the values. */
function acrossChange(before: Plan, after: Plan, values: readonly number[], change: number): (number | null)[] {
  const reading = (x: number, i: number): object => ({ deviceId: 'a', timestamp: startMs + 10_000 * i, x })
  const old = createPlanDriver(before)
  for (const [i, x] of values.slice(0, change).entries()) old.reading(reading(x, i))
  old.take()
  const messages: string[] = []
  const operator = createPartitionOperator({
    plan: after,
    decoder: plainDecoder(after),
    sink: { emit: (topic, _device, _offset, line) => topic === 'device-features' && messages.push(line) },
    earlierShapes: [stateShape(before)],
  })
  for (const entry of old.operator.takeDirty()) operator.restore(entry)
  for (const [i, x] of values.slice(change).entries())
    operator.readings(new TextEncoder().encode(JSON.stringify(reading(x, change + i))), change + i, Number.NaN)
  operator.endOfInput(values.length)
  operator.flush()
  return messages.map((line) => Object.values(JSON.parse(line).features as Record<string, number | null>)[0] ?? null)
}

/** A shape without the texts of functions, which hang on who compiled the test. */
function withoutFunctions(shape: StateShape): unknown {
  return JSON.parse(JSON.stringify(shape, (key, value) => (key === 'functions' ? value.length : value)))
}

describe('stateShape()', () => {
  // Never write these fixtures anew: a change of a shape is a new version with fixtures of its own.
  test('gives the shape that the first release of version 1 gave, and its hash stands in the bytes of that release', () => {
    const released = JSON.parse(readFileSync(join(fixtures, 'shape-1.json'), 'utf8')) as StateShape
    expect(withoutFunctions(stateShape(fixturePlan))).toEqual(withoutFunctions(released))
    const bytes = readFileSync(join(fixtures, 'version-1.bin'))
    expect(bytes.readUInt32LE(1)).toBe(stateShapeHash(released))
    expect(stateShapeHash(stateShape(fixturePlan))).toBe(stateShapeHash(released))
  })

  test('names what an alert policy keeps, as the first release that had one did', () => {
    const released = JSON.parse(readFileSync(join(fixtures, 'shape-1-alert.json'), 'utf8')) as StateShape
    const { alert, eventTypes } = released
    expect(alert).toEqual({ windows: 3 })
    expect(eventTypes).toEqual(['error', 'maintenance', 'service-begin', 'service-end'])
    expect(readFileSync(join(fixtures, 'version-1-alert.bin')).readUInt32LE(1)).toBe(stateShapeHash(released))
    const { alert: _, ...without } = released
    expect(stateShapeHash(without)).not.toBe(stateShapeHash(released))
  })

  test('is data that JSON carries', () => {
    const shape = stateShape(fixturePlan)
    expect(JSON.parse(JSON.stringify(shape))).toEqual(shape)
    const { history, ...rest } = shape
    expect(stateShapeHash({ history, ...rest })).toBe(stateShapeHash(shape))
  })

  test('lets an operator of another plan read what the first release wrote', () => {
    const released = JSON.parse(readFileSync(join(fixtures, 'shape-1.json'), 'utf8')) as StateShape
    const state = new Uint8Array(readFileSync(join(fixtures, 'version-1.bin')))
    const { count, mean: meanA, lag: lagA } = scenarioFeatures as Record<string, FeatureNode>
    const plan = {
      ...fixturePlan,
      features: [{ name: 'maxB', unit: '1', node: { ...max, channel: 'b' } as FeatureNode }].concat(
        [count, meanA, lagA].map((node, i) => ({ name: `kept${i}`, unit: '1', node: node as FeatureNode })),
      ),
    }
    const lines: string[] = []
    const operator = createPartitionOperator({
      plan,
      decoder: plainDecoder(plan),
      sink: { emit: (_topic, _device, _offset, line) => lines.push(line) },
      earlierShapes: [released],
    })
    operator.restore({ deviceId: 'press-7', state })
    operator.endOfInput(0)
    operator.flush()
    const driver = createPlanDriver(fixturePlan)
    driver.operator.restore({ deviceId: 'press-7', state })
    driver.endOfInput()
    const [wanted] = driver.take('device-features')
    expect(JSON.parse(lines[0] as string).features).toEqual({
      maxB: null,
      kept0: wanted?.message.features.count,
      kept1: wanted?.message.features.mean,
      kept2: wanted?.message.features.lag,
    })
  })
})

describe('restore()', () => {
  const planA = planOf({ features: { mean } })
  const planB = planOf({ features: { mean, max } })
  const stateOfA = (): Uint8Array => {
    const driver = createPlanDriver(planA)
    driver.reading({ deviceId: 'a', timestamp: startMs, x: 3 })
    driver.take()
    return driver.operator.takeDirty()[0]?.state?.slice() as Uint8Array
  }
  const options = { plan: planB, decoder: plainDecoder(planB), sink: { emit: ignore, retract: ignore } }

  test('refuses states of a shape that is not listed, and leaves no trace of them', () => {
    const operator = createPartitionOperator({
      ...options,
      earlierShapes: [stateShape(planOf({ features: { max } }))],
    })
    expect(() => operator.restore({ deviceId: 'a', state: stateOfA() })).toThrow(StateFormatError)
    expect(operator.deviceCount).toBe(0)
  })

  test('of a hosted operator takes over listed states too', () => {
    const decoder = plainDecoder(planB)
    const lines: string[] = []
    const sink = {
      emit: (_t: unknown, _d: unknown, _o: unknown, line: string) => void lines.push(line),
      retract: ignore,
    }
    const operator = createHostedOperator({ ...options, decoder, sink, earlierShapes: [stateShape(planA)] })
    const device = decoder.deviceIndex('a')
    operator.restore('a', stateOfA(), Number.NaN)
    operator.endOfInput(device, 0)
    operator.flush()
    expect(lines.map((line) => JSON.parse(line).features)).toEqual([{ mean: 3, max: null }])
  })

  test('refuses a shape of its own that is not of the plan', () => {
    expect(() => createPartitionOperator({ ...options, shape: stateShape(planA) })).toThrow('that of the plan')
  })
})

describe('what looks back across a change', () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8]
  const featureAcross = (before: FeatureNode, after: FeatureNode): (number | null)[] =>
    acrossChange(planAtOnce({ f: before }), planAtOnce({ f: after }), values, 4)

  test('is missing until all that it looks back on is known', () => {
    expect(featureAcross(mean, lag(mean, 2))).toEqual([null, null, 4, 5, 6])
    expect(featureAcross(mean, { kind: 'rolling', statistic: 'min', of: mean, windows: 3 })).toEqual([
      null,
      null,
      4,
      5,
      6,
    ])
    expect(featureAcross(mean, { kind: 'difference', of: max, windows: 1 })).toEqual([null, null, 1, 1, 1])
  })

  test('is missing where sessions that were merged had pushed older ones out', () => {
    const plan = (windows: number): Plan =>
      planOf({
        window: { kind: 'session', gapMs: 4000 },
        features: { mean5: { kind: 'rolling', statistic: 'mean', of: mean, windows } },
        time: { graceMs: 2000, silentAfterMs: 30_000, forgetAfterMs: 600_000 },
      })
    const old = createPlanDriver(plan(2))
    const reading = (seconds: number): void => {
      old.appendTimeMs = Math.max(startMs + 1000 * seconds, Number.isNaN(old.appendTimeMs) ? 0 : old.appendTimeMs)
      old.reading({ deviceId: 'a', timestamp: startMs + 1000 * seconds, x: seconds })
    }
    // Six sessions, of which four are remembered; two more that a silence gives, and a reading that makes them one.
    for (const seconds of [0, 10, 20, 30, 40, 50, 60, 65]) reading(seconds)
    old.heartbeat(startMs + 100_000)
    reading(62.5)
    old.take()
    const [entry] = old.operator.takeDirty()
    const lines: string[] = []
    const operator = createPartitionOperator({
      plan: plan(5),
      decoder: plainDecoder(plan(5)),
      sink: { emit: (topic, _device, _offset, line) => topic === 'device-features' && lines.push(line) },
      earlierShapes: [stateShape(plan(2))],
    })
    operator.restore(entry as DeviceStateEntry)
    operator.endOfInput(0)
    operator.flush()
    expect(lines.map((line) => JSON.parse(line).features)).toEqual([{ mean5: null }])
  })

  test('goes on where the earlier plan looked back on the same', () => {
    expect(featureAcross(lag(mean, 1), { kind: 'difference', of: mean, windows: 2 })).toEqual([2, 2, 2, 2, 2])
  })

  test('a smoothed mean goes on, and begins anew where it is new', () => {
    const smooth: FeatureNode = { kind: 'exponential-mean', of: mean, alpha: 0.5 }
    const whole = [1, 1.5, 2.25, 3.125, 4.0625, 5.03125, 6.015625, 7.0078125]
    expect(featureAcross(smooth, smooth)).toEqual(whole.slice(3))
    expect(featureAcross(mean, smooth)).toEqual([4, 4.5, 5.25, 6.125, 7.0625])
    expect(featureAcross(mean, { ...smooth, of: max })).toEqual([null, 5, 5.5, 6.25, 7.125])
  })

  test("keeps users' functions apart, which have one expression", () => {
    const after = planAtOnce({ product: lag(derived(product), 1), sum: lag(derived(sum), 1) })
    const both = planAtOnce({ sum: lag(derived(sum), 1), product: lag(derived(product), 1) })
    const onlySum = planAtOnce({ sum: lag(derived(sum), 1), mean })
    expect(stateShape(both).history.columns[0]?.json).toBe(stateShape(both).history.columns[1]?.json)
    expect(acrossChange(onlySum, after, values, 4)).toEqual([null, 400, 500, 600, 700])
  })
})

describe('compareStateShapes()', () => {
  const compare = (before: Plan, after: Plan) => compareStateShapes(stateShape(before), stateShape(after))

  test.each([
    ['channels', { channels: ['x', 'y'] }, 'found "x", "y", wanted "x" as it was, since redelivered readings'],
    [
      'window',
      { window: { kind: 'session', gapMs: 5 } },
      'found sessions with a gap of 5 ms, wanted tumbling windows of',
    ],
    [
      'window',
      { window: { kind: 'tumbling', sizeMs: 5 } },
      'windows of 5 ms, wanted tumbling windows of 10000 ms as it was',
    ],
    ['time.timestamp', { time: { timestamp: 'arrival' } }, 'found arrival, wanted event as it was'],
  ] as [string, Parameters<typeof planOf>[0], string][])('refuses other %s %#', (field, sketch, text) => {
    const { problems, notes } = compare(planOf(), planOf(sketch))
    expect(problems.map((problem) => problem.field)).toEqual([field])
    expect(notes).toEqual([])
    const plan = planOf(sketch)
    const make = () =>
      createPartitionOperator({
        plan,
        decoder: plainDecoder(plan),
        sink: { emit: ignore },
        earlierShapes: [stateShape(planOf())],
      })
    expect(make).toThrow(text)
    expect(make).toThrow('else a start without the old states')
  })

  test('refuses to wait longer for late readings than before, except where each reading is a window', () => {
    const fields = (before: Partial<TimeRules>, after: Partial<TimeRules>): string[] =>
      compare(planOf({ time: before }), planOf({ time: after })).problems.map(({ field }) => field)
    expect(fields({ graceMs: 5 }, { graceMs: 6 })).toEqual(['time.grace', 'time.grace + time.allowedLateness'])
    expect(fields({ graceMs: 5, allowedLatenessMs: 9 }, { graceMs: 6, allowedLatenessMs: 8 })).toEqual(['time.grace'])
    expect(fields({ graceMs: 5 }, { graceMs: 2, allowedLatenessMs: 4 })).toEqual(['time.grace + time.allowedLateness'])
    expect(fields({ graceMs: 5, allowedLatenessMs: 9 }, { graceMs: 4, allowedLatenessMs: 10 })).toEqual([])
    const perReading = (graceMs: number): Plan => planOf({ window: { kind: 'per-reading' }, time: { graceMs } })
    expect(compare(perReading(1), perReading(2)).problems).toEqual([])
  })

  test('says that open windows were cleaned otherwise', () => {
    const rule = { kind: 'range', name: 'x', channel: 'x', min: 0, max: 9, onBad: 'drop' } as const
    expect(compare(planOf(), planOf({ cleaning: [rule] })).notes).toEqual([
      'windows that were open at the change hold readings that were cleaned by the rules of before',
    ])
  })

  test('tells what becomes of alerts where a policy comes or goes', () => {
    const policy: DevicePolicy = {
      levels: [{ severity: 'warning', threshold: null, clearThreshold: null }],
      windows: { high: 1, of: 1 },
      minimumDurationMs: 0,
      clearAfterMs: null,
    }
    const withPolicy = planOf({ alertRules: { policy, devices: [], mutes: [] } })
    expect(compare(planOf(), withPolicy).notes).toEqual([expect.stringContaining('no alert stands at the change')])
    expect(compare(withPolicy, planOf()).notes).toEqual([expect.stringContaining('alerts that stand are forgotten')])
    const other = { ...policy, windows: { high: 2, of: 4 } }
    expect(compare(withPolicy, planOf({ alertRules: { policy: other, devices: [], mutes: [] } })).notes).toEqual([])
  })

  test('refuses states of another version', () => {
    const shape = stateShape(planOf())
    const [problem] = compareStateShapes({ ...shape, version: 2 }, shape).problems
    expect(problem).toMatchObject({ field: 'state version', found: '1, that of this release' })
  })

  test('says nothing where all is kept', () => {
    const before = planOf({ features: { mean, lag: lag(mean, 3) } })
    const after = planOf({ features: { renamed: lag(mean, 3), closer: lag(mean, 2) }, time: { graceMs: 1000 } })
    expect(compare(before, after)).toEqual({ problems: [], notes: [] })
    expect(compare(before, before)).toEqual({ problems: [], notes: [] })
  })

  test('says what is missing until when', () => {
    const before = planOf({ channels: ['x', 'y'], features: { mean, lag: lag(mean, 1) } })
    const hoursSince: FeatureNode = { kind: 'hours-since', eventType: 'repair' }
    const features: Record<string, FeatureNode> = {
      mean,
      max,
      quantile: { kind: 'quantile', channel: 'x', q: 0.5 },
      series: { kind: 'custom', channels: ['y'], compute: () => 0 },
      lagFar: lag(mean, 4),
      lagMax: lag(max, 2),
      rolling: { kind: 'rolling', statistic: 'max', of: mean, windows: 12 },
      smooth: { kind: 'exponential-mean', of: mean, alpha: 0.1 },
      hoursSince,
      errors: { kind: 'count-of', eventType: 'error', hours: 24 },
      sum: { kind: 'derived', of: [mean, max, hoursSince], compute: () => 0 },
      ofKept: derived(sum),
    }
    expect(compare(before, planOf({ channels: ['x', 'y'], features })).notes).toEqual([
      '"max" is missing in windows that were open at the change',
      '"quantile" is missing in windows that were open at the change',
      '"series" is missing in windows that were open at the change',
      '"lagFar" is missing in the first 4 windows of a device that end after the change',
      '"lagMax" is missing in windows that were open at the change, and in the 2 windows after them',
      '"rolling" is missing in the first 11 windows of a device that end after the change',
      '"smooth" begins anew at the change, as on a device that is new',
      '"hoursSince" is missing until the first event "repair" after the change',
      '"errors" is missing until 24 hours after the change',
      '"sum" is missing in windows that were open at the change',
      '"sum" is missing until the first event "repair" after the change',
    ])
  })

  test('says where a function looks back on what it gave before it was changed', () => {
    const before = planOf({ features: { plain: derived(sum), back: lag(derived(sum), 1) } })
    const after = planOf({ features: { plain: derived(product), back: lag(derived(product), 1) } })
    expect(compare(before, after).notes).toEqual([
      '"back" looks back on what its function gave before it was changed, until those windows are behind it',
    ])
  })
})
