import type { MaintenanceFeedback } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { naiveVerdicts } from '../testing/naive-verdicts.ts'
import {
  dayMs,
  hourMs,
  type RandomPlant,
  randomPlant,
  seeded,
  shortRules,
  signalOf,
  startMs,
} from '../testing/random-plant.ts'
import { VerdictJoin, type VerdictJoinState, type VerdictReport } from './verdict-join.ts'

type Step = (join: VerdictJoin) => void

/** The plant's records as calls, in the order in which a consumer that is up to `lagMs` late on a topic reads them. */
function stepsOf({ signals, feedback }: RandomPlant, seed: number, lagMs: number): Step[] {
  const random = seeded(seed)
  const lags = new Map<string, number>()
  const lagOf = (source: string): number => {
    const known = lags.get(source) ?? random() * lagMs
    lags.set(source, known)
    return known
  }
  const timed: { atMs: number; order: number; step: Step }[] = []
  for (const { atMs, signal } of signals)
    timed.push({
      atMs: atMs + lagOf(`signals ${signal.deviceId}`),
      order: timed.length,
      step: (join) => join.alertSignal(signal),
    })
  // One partition of feedback, in the order in which it was written down.
  const written = [...feedback].sort((a, b) => a.feedback.recordedAt - b.feedback.recordedAt || a.atMs - b.atMs)
  const feedbackLag = lagOf('feedback')
  for (const { feedback: record } of written)
    timed.push({
      atMs: record.recordedAt + feedbackLag,
      order: timed.length,
      step: (join) => join.feedback(record),
    })
  for (let day = 1; day < 50; day++)
    timed.push({
      atMs: startMs + day * dayMs + feedbackLag,
      order: timed.length,
      step: (join) => join.readUpTo(startMs + day * dayMs - 1),
    })
  return timed.sort((a, b) => a.atMs - b.atMs || a.order - b.order).map(({ step }) => step)
}

function run(steps: readonly Step[], join = new VerdictJoin(shortRules)): VerdictJoin {
  for (const step of steps) step(join)
  return join
}

/** What of a report is the same however the topics were read: all but the counters of redeliveries. */
function judged({ models }: VerdictReport): unknown {
  return models
}

function naiveOf({ signals, feedback }: RandomPlant): unknown {
  return naiveVerdicts(
    signals.map(({ signal }) => signal),
    [...feedback]
      .sort((a, b) => a.feedback.recordedAt - b.feedback.recordedAt || a.atMs - b.atMs)
      .map((one) => one.feedback),
    shortRules,
  )
}

function countsOf({ models }: VerdictReport): unknown {
  return Object.fromEntries(
    models.map(({ model, windows, events, failures, leadMinutes }) => [
      model.version,
      { windows, events, ...failures, leadCount: leadMinutes.count },
    ]),
  )
}

const seeds = fc.integer({ min: 1, max: 1_000_000 })

describe('VerdictJoin', () => {
  test('equals the plain oracle, though it settles and forgets as it goes (V1, V2)', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plant = randomPlant(seed)
        const join = run(stepsOf(plant, seed, 0))
        const naive = naiveOf(plant) as Record<string, { leadMinutes: number[] }>
        const wanted = Object.fromEntries(
          Object.entries(naive).map(([version, { leadMinutes, ...rest }]) => [
            version,
            { ...rest, leadCount: leadMinutes.length },
          ]),
        )
        const report = join.report()
        expect(countsOf(report)).toEqual(wanted)
        for (const { model, leadMinutes } of report.models) {
          const leads = naive[model.version]?.leadMinutes ?? []
          const [low, high] = [leads[(leads.length - 1) >> 1], leads[leads.length >> 1]]
          expect(leadMinutes.value).toBe(low === undefined || high === undefined ? null : (low + high) / 2)
        }
        // It did settle: what is remembered is less than two horizons of each machine.
        expect(join.snapshot().models.some(({ settled }) => settled.counts.some((count) => count > 0))).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  test('does not hang on how far ahead of another a topic is read (V1)', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 3 }), (seed, lagDays) => {
        const plant = randomPlant(seed)
        const inTime = run(stepsOf(plant, seed, 0))
        const lagging = run(stepsOf(plant, seed + 1, lagDays * dayMs))
        expect(judged(lagging.report())).toEqual(judged(inTime.report()))
        // All signals, then all verdicts, and nothing promised until the end.
        const apart = new VerdictJoin(shortRules)
        for (const { signal } of plant.signals) apart.alertSignal(signal)
        const written = [...plant.feedback].sort(
          (a, b) => a.feedback.recordedAt - b.feedback.recordedAt || a.atMs - b.atMs,
        )
        for (const { feedback } of written) apart.feedback(feedback)
        expect(judged(apart.report())).toEqual(judged(inTime.report()))
        apart.readUpTo(startMs + 60 * dayMs)
        expect(judged(apart.report())).toEqual(judged(inTime.report()))
      }),
      { numRuns: 20 },
    )
  })

  test('restored from any snapshot it goes on as if nothing had happened (V4)', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
        const steps = stepsOf(randomPlant(seed), seed, dayMs)
        const straight = run(steps)
        const cut = Math.floor(share * steps.length)
        const text = JSON.stringify(run(steps.slice(0, cut)).snapshot())
        const restored = new VerdictJoin(shortRules, JSON.parse(text) as VerdictJoinState)
        expect(JSON.stringify(restored.snapshot())).toBe(text)
        run(steps.slice(cut), restored)
        expect(JSON.stringify(restored.snapshot())).toBe(JSON.stringify(straight.snapshot()))
        expect(restored.report()).toEqual(straight.report())
      }),
      { numRuns: 20 },
    )
  })

  test('verdicts of different ids may come in any order (V1)', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { signals, feedback } = randomPlant(seed)
        const first = feedback.map((one) => one.feedback).filter(({ revision }) => revision === 0)
        const random = seeded(seed)
        const shuffled = first
          .map((record) => ({ record, key: random() }))
          .sort((a, b) => a.key - b.key)
          .map(({ record }) => record)
        const after = (records: readonly MaintenanceFeedback[]): VerdictReport => {
          const join = new VerdictJoin(shortRules)
          for (const { signal } of signals) join.alertSignal(signal)
          for (const record of records) join.feedback(record)
          return join.report()
        }
        expect(after(shuffled)).toEqual(after(first))
      }),
      { numRuns: 20 },
    )
  })

  test('keeps to its bounds and counts what fell out (V3)', () => {
    const rules = { ...shortRules, runsPerDeviceMax: 4, devicesMax: 2 }
    const join = new VerdictJoin(rules)
    for (let hour = 1; hour <= 100; hour++)
      for (const deviceId of ['a', 'b', 'c'])
        join.alertSignal(signalOf(deviceId, startMs + hour * hourMs, hour % 2 === 0 ? 0.9 : 0.1))
    for (let i = 0; i < 100; i++) join.feedback(feedbackOf({ id: `v${i}`, from: startMs + i, to: startMs + i + 1 }))
    const { devices, counters } = join.snapshot()
    expect(devices.map(([deviceId]) => deviceId)).toEqual(['a', 'b'])
    for (const [, , , runs] of devices) expect(runs.length).toBeLessThanOrEqual(4 * 4)
    expect(devices[0]?.[4].length).toBe(64)
    expect(counters.windowsForgotten).toBe(2 * 96)
    expect(counters.signalsRefused).toBe(100)
    expect(counters.verdictsForgotten).toBe(100 - 64)
  })

  test('a quiet machine of 90 days in windows of 5 minutes is one run', () => {
    const join = new VerdictJoin()
    for (let i = 1; i <= 90 * 288; i++)
      join.alertSignal(signalOf('a', startMs + i * 300_000, 0.02, { sizeMs: 300_000 }))
    const [device] = join.snapshot().devices
    expect(device?.[3].length).toBe(4)
    expect(join.report().models[0]?.windows.presumedNegative).toBe((90 - 14) * 288 + 0)
  })

  test('false_alerts_total never falls: a withdrawn false alarm leaves the rates, not the counter', () => {
    const join = new VerdictJoin(shortRules)
    join.alertSignal(signalOf('a', startMs + hourMs, 0.9))
    join.feedback(feedbackOf({}))
    expect(join.report().models[0]).toMatchObject({ falseAlertsTotal: 1, precision: { value: 0, count: 1 } })
    join.feedback(feedbackOf({}))
    join.feedback(feedbackOf({ revision: 1, verdict: 'withdrawn' }))
    expect(join.report().models[0]).toMatchObject({ falseAlertsTotal: 1, precision: { value: null, count: 0 } })
    join.feedback(feedbackOf({ revision: 2 }))
    expect(join.report().counters).toMatchObject({ falseAlerts: 2, verdictsDuplicate: 1, verdictsAccepted: 3 })
    join.feedback(feedbackOf({ revision: 1, verdict: 'unclear' }))
    expect(join.report().counters.verdictsSuperseded).toBe(1)
  })

  test('a failure is missed by the version that saw it coming and said nothing, not by one that saw nothing', () => {
    const join = new VerdictJoin(shortRules)
    join.alertSignal(signalOf('a', startMs + hourMs, 0.9, { version: '1' }))
    join.alertSignal(signalOf('a', startMs + 9 * hourMs, 0.2, { version: '2' }))
    join.feedback(feedbackOf({ verdict: 'missed-failure', from: startMs + 5 * hourMs, to: startMs + 10 * hourMs }))
    const [first, second] = join.report().models
    expect(first?.failures).toEqual({ caught: 0, missed: 0 })
    expect(second?.failures).toEqual({ caught: 0, missed: 1 })
  })

  test('a forgotten machine is settled and given up', () => {
    const join = new VerdictJoin(shortRules)
    join.alertSignal(signalOf('a', startMs + hourMs, 0.2))
    join.deviceForgotten('a', startMs + 5 * dayMs)
    expect(join.report().models[0]?.windows.presumedNegative).toBe(1)
    join.readUpTo(startMs + 7 * dayMs)
    expect(join.deviceCount).toBe(1)
    join.readUpTo(startMs + 10 * dayMs)
    expect(join.deviceCount).toBe(0)
    expect(join.report().models[0]?.windows.presumedNegative).toBe(1)
  })

  test('counts what comes too late, behind a promise, or of windows too old or too long', () => {
    const join = new VerdictJoin(shortRules)
    join.readUpTo(startMs + 2 * dayMs)
    join.feedback(feedbackOf({}))
    join.feedback(feedbackOf({ id: 'w', recordedAt: startMs + 9 * dayMs }))
    join.alertSignal(signalOf('a', startMs + 6 * dayMs, 0.1))
    join.alertSignal(signalOf('a', startMs + 2 * dayMs, 0.1))
    join.alertSignal(signalOf('a', startMs + 7 * dayMs, 0.1, { sizeMs: 3 * dayMs }))
    expect(join.report().counters).toMatchObject({
      verdictsBehindPromise: 1,
      verdictsTooLate: 1,
      windowsTooOld: 1,
      windowsTooLong: 1,
      signals: 1,
    })
  })

  test('refuses a state of other rules', () => {
    const state = new VerdictJoin(shortRules).snapshot()
    expect(() => new VerdictJoin({ ...shortRules, eventGapMs: 1 }, state)).toThrow('under the rules that made it')
  })
})

function feedbackOf(fields: Partial<MaintenanceFeedback>): MaintenanceFeedback {
  return {
    id: 'v',
    revision: 0,
    deviceId: 'a',
    verdict: 'false-alarm',
    from: startMs,
    to: startMs + 2 * hourMs,
    failureAt: null,
    recordedAt: startMs + dayMs,
    model: { name: 'failure', version: '1' },
    ...fields,
  }
}
