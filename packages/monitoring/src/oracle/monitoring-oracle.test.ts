import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { estimatePerformance } from '../estimate/estimated-performance.ts'
import { isotonicCurve, readCurve } from '../estimate/isotonic.ts'
import { fitSigmoid } from '../estimate/platt.ts'
import { benjaminiHochberg } from '../statistics/benjamini-hochberg.ts'
import { binnedKolmogorovSmirnov, kolmogorovSmirnov, kolmogorovSurvival } from '../statistics/kolmogorov-smirnov.ts'
import { medianOfCounts } from '../statistics/median.ts'
import { populationStability } from '../statistics/population-stability.ts'
import { proportion, z95 } from '../statistics/proportion.ts'
import { binnedWasserstein, wasserstein } from '../statistics/wasserstein.ts'
import { oracleCases } from './oracle-cases.ts'

/** What libraries answered; the golden file has all of them, a Python at hand perhaps some. */
interface Answers {
  readonly versions: Readonly<Record<string, string>>
  readonly ks?: readonly (readonly [number, number])[]
  readonly wasserstein?: readonly number[]
  readonly kolmogorov?: readonly number[]
  readonly binnedKs?: readonly number[]
  readonly binnedWasserstein?: readonly number[]
  readonly isotonic?: readonly (readonly number[])[]
  readonly sigmoid?: readonly (readonly [number, number])[]
  readonly wilson?: readonly (readonly [number, number])[]
  readonly benjaminiHochberg?: readonly (readonly number[])[]
  readonly psi?: readonly number[]
  readonly cbpe?: readonly Readonly<Record<string, number>>[]
  readonly estimateSpread?: readonly Readonly<Record<string, number>>[]
  readonly medians?: readonly (readonly [median: number, low: number, high: number])[]
}

const goldenPath = join(import.meta.dirname, 'monitoring-oracle.golden.json')
const cases = oracleCases()
const python = [process.env['MILLWRIGHT_PYTHON'], join(import.meta.dirname, '../../../../.venv/bin/python')].find(
  (path) => path !== undefined && existsSync(path),
)

function askOracle(): Answers {
  const script = join(import.meta.dirname, 'monitoring-oracle.py')
  const asked = spawnSync(python ?? '', [script], { input: JSON.stringify(cases), encoding: 'utf8', maxBuffer: 1e9 })
  if (asked.status !== 0) throw new Error(asked.stderr)
  return JSON.parse(asked.stdout) as Answers
}

// Libraries that cannot be installed beside each other are asked one after another: what each answers is merged.
if (python !== undefined && process.env['MILLWRIGHT_UPDATE_GOLDEN'] === '1') {
  const before = existsSync(goldenPath) ? (JSON.parse(readFileSync(goldenPath, 'utf8')) as Answers) : { versions: {} }
  const now = askOracle()
  const merged = { ...before, ...now, versions: { ...before.versions, ...now.versions } }
  writeFileSync(goldenPath, `${JSON.stringify(merged)}\n`)
}
const golden = JSON.parse(readFileSync(goldenPath, 'utf8')) as Required<Answers>

function expectNear(found: number | null | undefined, wanted: number | undefined, tolerance: number): void {
  expect(wanted).toBeTypeOf('number')
  expect(Math.abs((found ?? Number.NaN) - (wanted as number))).toBeLessThanOrEqual(
    tolerance * Math.max(1e-3, Math.abs(wanted as number)),
  )
}

describe('monitoring agrees with the libraries of others', () => {
  test('kolmogorovSmirnov() and kolmogorovSurvival() with SciPy', () => {
    for (const [i, { a, b }] of cases.samples.entries()) {
      const { statistic, pValue, exact } = kolmogorovSmirnov(a, b)
      expect(exact).toBe(true)
      expectNear(statistic, golden.ks[i]?.[0], 1e-12)
      expectNear(pValue, golden.ks[i]?.[1], 1e-9)
    }
    for (const [i, x] of cases.kolmogorov.entries()) expectNear(kolmogorovSurvival(x), golden.kolmogorov[i], 1e-10)
  })

  test('wasserstein() with SciPy', () => {
    for (const [i, { a, b }] of cases.samples.entries()) expectNear(wasserstein(a, b), golden.wasserstein[i], 1e-12)
  })

  test('the binned distances with SciPy and with NumPy integrating the straight lines', () => {
    for (const [i, { a, b }] of cases.histograms.entries()) {
      const sizes = { expectedSize: 100, actualSize: 50 }
      const test = binnedKolmogorovSmirnov(a.counts, b.counts, sizes)
      expectNear(test?.statistic, golden.binnedKs[i], 1e-12)
      expectNear(test?.pValue, kolmogorovSurvival((test?.statistic ?? 0) * Math.sqrt(5000 / 150)), 1e-12)
      expectNear(binnedWasserstein(a, b), golden.binnedWasserstein[i], 1e-6)
    }
  })

  test("populationStability() with Evidently's PSI, empty bins included", () => {
    const empty = cases.histograms.filter(({ a, b }) => a.counts.includes(0) || b.counts.includes(0))
    expect(empty.length).toBeGreaterThan(4)
    for (const [i, { a, b }] of cases.histograms.entries())
      expectNear(populationStability(a.counts, b.counts), golden.psi[i], 1e-12)
  })

  test('proportion() with statsmodels', () => {
    for (const [i, [successes, trials]] of cases.shares.entries()) {
      const { low, high } = proportion(successes, trials)
      expectNear(low, golden.wilson[i]?.[0], 1e-12)
      expectNear(high, golden.wilson[i]?.[1], 1e-12)
    }
  })

  test('benjaminiHochberg() with statsmodels', () => {
    for (const [i, pValues] of cases.pValues.entries())
      for (const [k, adjusted] of benjaminiHochberg(pValues).entries())
        expectNear(adjusted, golden.benjaminiHochberg[i]?.[k], 1e-12)
  })

  test('isotonicCurve() and fitSigmoid() with scikit-learn', () => {
    for (const [i, { points, at }] of cases.calibrations.entries()) {
      const rows = points.map(({ probability, count, positives }) => ({
        x: probability,
        y: positives / count,
        weight: count,
      }))
      const curve = isotonicCurve(rows)
      for (const [k, x] of at.entries()) expectNear(readCurve(curve, x), golden.isotonic[i]?.[k], 1e-9)
      const { slope, offset } = fitSigmoid(points)
      expectNear(slope, golden.sigmoid[i]?.[0], 1e-4)
      expectNear(offset, golden.sigmoid[i]?.[1], 1e-4)
    }
  })

  test('estimatePerformance() with NannyML', () => {
    for (const [i, { probabilities, high }] of cases.predictions.entries()) {
      const groups = probabilities.map((probability, k) => ({ probability, high: high[k] === true, count: 1 }))
      const estimated = estimatePerformance(groups, { kind: 'none' })
      for (const name of ['accuracy', 'precision', 'recall', 'falsePositiveRate', 'f1'] as const)
        expectNear(estimated[name].value, golden.cbpe[i]?.[name], 1e-12)
    }
  })

  test("the interval of estimatePerformance() with NumPy's exact variances, and with draws where a metric is a ratio of two sums", () => {
    for (const [i, { probabilities, high }] of cases.predictions.entries()) {
      const groups = probabilities.map((probability, k) => ({ probability, high: high[k] === true, count: 1 }))
      const estimated = estimatePerformance(groups, { kind: 'none' })
      const spread = golden.estimateSpread[i]
      for (const name of ['accuracy', 'precision', 'recall', 'falsePositiveRate', 'f1'] as const) {
        const { low, high: top } = estimated[name]
        const isRatio = ['recall', 'falsePositiveRate', 'f1'].includes(name)
        // The delta method leaves out the curvature: little of it is left with 500 windows.
        const tolerance = isRatio ? (probabilities.length < 100 ? 0.15 : 0.03) : 1e-9
        expectNear(((top ?? 0) - (low ?? 0)) / 2 / z95, spread?.[name], tolerance)
      }
    }
  })

  test("medianOfCounts() with SciPy's exact interval, whose ranks are ours or the next", () => {
    for (const [i, values] of cases.medians.entries()) {
      const { value, low, high } = medianOfCounts(new Map(values.map((each) => [each, 1])))
      const [median = 0, exactLow = 0, exactHigh = 0] = golden.medians[i] ?? []
      expectNear(value, median, 1e-12)
      const ranksApart = (a: number | null, b: number): number => Math.abs(values.indexOf(a ?? -1) - values.indexOf(b))
      expect(ranksApart(low, exactLow)).toBeLessThanOrEqual(1)
      expect(ranksApart(high, exactHigh)).toBeLessThanOrEqual(1)
    }
  })

  test.skipIf(python === undefined)(
    'the golden file is what the libraries at hand answer (skipped without Python)',
    () => {
      const { versions, ...answers } = askOracle()
      expect(Object.keys(versions).length).toBeGreaterThan(0)
      const flat = (value: unknown): number[] =>
        typeof value === 'number' ? [value] : Object.values(value as Record<string, unknown>).flatMap(flat)
      for (const [name, answer] of Object.entries(answers)) {
        const wanted = flat(golden[name as keyof typeof answers])
        const found = flat(answer)
        expect(found.length).toBe(wanted.length)
        // Iterative fits stop a little elsewhere in another version.
        for (const [k, value] of found.entries()) expectNear(value, wanted[k], name === 'sigmoid' ? 1e-4 : 1e-9)
      }
    },
  )
})
