import { describe, expect, test } from 'vitest'
import { dayMs, seeded, signalOf, startMs } from '../testing/random-plant.ts'
import { calibrate, fitCalibration } from './calibration.ts'
import { estimatePerformance, type PredictedGroup } from './estimated-performance.ts'
import type { CalibrationPoint } from './isotonic.ts'
import { PredictionPeriods, type PredictionPeriodsState } from './prediction-periods.ts'
import { distrust } from './trust.ts'

/** Windows whose truth is drawn from what the model says, bent: an overconfident model's truth is nearer to the middle. */
function drawn(seed: number, count: number, truth: (probability: number) => number) {
  const random = seeded(seed)
  return Array.from({ length: count }, () => {
    const probability = random() < 0.8 ? random() * 0.3 : 0.3 + random() * 0.7
    return { probability, high: probability > 0.5, failing: random() < truth(probability) }
  })
}
const bent = (probability: number): number => 0.1 + 0.5 * probability

type Drawn = ReturnType<typeof drawn>[number]
const groupsOf = (rows: readonly Drawn[]): PredictedGroup[] =>
  rows.map(({ probability, high }) => ({ probability, high, count: 1 }))
function pointsOf(rows: readonly Drawn[], bins: number): CalibrationPoint[] {
  return Array.from({ length: bins }, (_, bin) => {
    const within = rows.filter(({ probability }) => Math.floor(probability * bins) === bin)
    const sum = within.reduce((total, { probability }) => total + probability, 0)
    return {
      probability: within.length === 0 ? 0 : sum / within.length,
      count: within.length,
      positives: within.filter(({ failing }) => failing).length,
    }
  })
}
function realised(rows: readonly Drawn[]) {
  const count = (high: boolean, failing: boolean): number =>
    rows.filter((row) => row.high === high && row.failing === failing).length
  const [tp, fp, tn, fn] = [count(true, true), count(true, false), count(false, false), count(false, true)]
  return {
    accuracy: (tp + tn) / rows.length,
    precision: tp / (tp + fp),
    recall: tp / (tp + fn),
    falsePositiveRate: fp / (fp + tn),
    f1: (2 * tp) / (2 * tp + fp + fn),
  }
}
const metrics = ['accuracy', 'precision', 'recall', 'falsePositiveRate', 'f1'] as const

describe('estimatePerformance()', () => {
  test('holds what comes true in its 95 % interval about 95 times of 100, where probabilities mean what they say', () => {
    const held = { accuracy: 0, precision: 0, recall: 0, falsePositiveRate: 0, f1: 0 }
    for (let seed = 1; seed <= 200; seed++) {
      const rows = drawn(seed, 400, (probability) => probability)
      const estimated = estimatePerformance(groupsOf(rows), { kind: 'none' })
      const found = realised(rows)
      for (const name of metrics) {
        const { low, high } = estimated[name]
        if ((low ?? 1) <= found[name] && found[name] <= (high ?? 0)) held[name] += 1
      }
    }
    for (const name of metrics) {
      expect(held[name], name).toBeGreaterThanOrEqual(180)
      expect(held[name], name).toBeLessThanOrEqual(199)
    }
  })

  test.each([
    ['isotonic', 20_000],
    ['sigmoid', 300],
  ] as const)('with an %s calibration it is right about an overconfident model; without, it is not', (kind, labels) => {
    const calibration = fitCalibration(pointsOf(drawn(1, labels, bent), 20))
    expect(calibration.kind).toBe(kind)
    const live = drawn(2, 4000, bent)
    const found = realised(live)
    const estimated = estimatePerformance(groupsOf(live), calibration)
    for (const name of metrics) {
      const { low, high } = estimated[name]
      expect(low ?? 1, name).toBeLessThanOrEqual(found[name])
      expect(high ?? 0, name).toBeGreaterThanOrEqual(found[name])
    }
    const naive = estimatePerformance(groupsOf(live), { kind: 'none' })
    expect(naive.precision.low ?? 0).toBeGreaterThan(found.precision)
  })

  test('says nothing where there is nothing: no window, no alarm, no failure', () => {
    const none = { value: null, low: null, high: null }
    expect(estimatePerformance([], { kind: 'none' })).toMatchObject({ accuracy: none, precision: none, recall: none })
    const quiet = estimatePerformance([{ probability: 0, high: false, count: 9 }], { kind: 'none' })
    expect(quiet).toMatchObject({ precision: none, recall: none, f1: none, accuracy: { value: 1 } })
  })

  test('a design effect widens the interval by its root', () => {
    const groups = [{ probability: 0.9, high: true, count: 1000 }]
    const width = (designEffect: number): number => {
      const { low, high } = estimatePerformance(groups, { kind: 'none' }, { designEffect }).precision
      return (high ?? 0) - (low ?? 0)
    }
    expect(width(4) / width(1)).toBeCloseTo(2, 9)
  })
})

describe('fitCalibration()', () => {
  test('fits nothing below ten labels of the rarer kind', () => {
    expect(fitCalibration([{ probability: 0.9, count: 1000, positives: 9 }]).kind).toBe('none')
    expect(calibrate({ kind: 'none' }, 0.3)).toEqual({ value: 0.3, low: 0.3, high: 0.3 })
  })

  test('never falls, and lies within its bounds', () => {
    for (const labels of [200, 5000]) {
      const calibration = fitCalibration(pointsOf(drawn(4, labels, bent), 20))
      let before = 0
      for (let i = 0; i <= 100; i++) {
        const { value, low, high } = calibrate(calibration, i / 100)
        expect(value).toBeGreaterThanOrEqual(before)
        expect(low).toBeLessThanOrEqual(value)
        expect(high).toBeGreaterThanOrEqual(value)
        before = value
      }
    }
  })
})

test('distrust() names each reason', () => {
  const fitted = fitCalibration(pointsOf(drawn(1, 300, bent), 20))
  const unknown = { low: null, high: null, count: 0 }
  expect(distrust(200, fitted, 0.05, { low: 0.8, high: 0.9 }, unknown)).toEqual([])
  expect(distrust(199, { kind: 'none' }, 0.06, { low: 0.8, high: 0.9 }, { low: 0.1, high: 0.7, count: 10 })).toEqual([
    'few-windows',
    'not-calibrated',
    'outside-training',
    'contradicted-by-verdicts',
  ])
})

describe('PredictionPeriods', () => {
  const model = { name: 'failure', version: '1' }
  const options = { periodMs: dayMs, periodsMax: 3 }

  test('groups what was predicted as precisely as an estimate needs, in any order (P1, P3)', () => {
    const rows = drawn(9, 2000, bent).map(({ probability }) => Math.fround(probability))
    const signals = rows.map((probability, i) => signalOf('a', startMs + i * 1000 + 1, probability, { threshold: 0.5 }))
    const [forward, backward] = [signals, [...signals].reverse()].map((ordered) => {
      const periods = new PredictionPeriods(options)
      for (const signal of ordered) {
        periods.alertSignal(signal)
        periods.alertSignal({ ...signal, revision: 1 })
      }
      return periods
    })
    const groups = forward?.groupsOf(model, startMs) ?? []
    expect(backward?.groupsOf(model, startMs)).toEqual(groups)
    expect(groups.length).toBeLessThanOrEqual(201)
    const calibration = fitCalibration(pointsOf(drawn(1, 20_000, bent), 20))
    const exact = estimatePerformance(
      rows.map((probability) => ({ probability, high: probability > 0.5, count: 1 })),
      calibration,
    )
    const grouped = estimatePerformance(groups, calibration)
    expect(grouped.windowCount).toBe(2000)
    for (const name of metrics)
      expect(Math.abs((grouped[name].value ?? 0) - (exact[name].value ?? 1)), name).toBeLessThan(1e-4)
  })

  test('keeps the newest periods and versions, and survives a snapshot (P2)', () => {
    const periods = new PredictionPeriods(options)
    for (let day = 0; day < 5; day++) periods.alertSignal(signalOf('a', startMs + day * dayMs + 1, 0.5))
    expect(periods.periodsOf(model)).toEqual([2, 3, 4].map((day) => startMs + day * dayMs))
    periods.alertSignal(signalOf('a', startMs + 1, 0.5))
    expect(periods.tooOld).toBe(1)
    const state = JSON.parse(JSON.stringify(periods.snapshot())) as PredictionPeriodsState
    const restored = new PredictionPeriods(options, state)
    for (const one of [periods, restored]) one.alertSignal(signalOf('a', startMs + 6 * dayMs, 0.7))
    expect(restored.snapshot()).toEqual(periods.snapshot())
    for (let version = 2; version < 20; version++)
      periods.alertSignal(signalOf('a', startMs + (6 + version) * dayMs, 0.5, { version: String(version) }))
    expect(periods.snapshot().models.length).toBe(16)
    expect(periods.periodsOf(model)).toEqual([])
  })
})
