import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FeatureNode } from '@millwright/core'
import { createPlanDriver, planOf, seededRandom } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'

const mean: FeatureNode = { kind: 'aggregate', statistic: 'mean', channel: 'x' }
const rolling = (statistic: 'mean' | 'std' | 'min' | 'max'): FeatureNode => ({
  kind: 'rolling',
  statistic,
  of: mean,
  windows: 5,
})
const plan = planOf({
  channels: ['x', 'y'],
  window: { kind: 'tumbling', sizeMs: 1000 },
  features: {
    lag1: { kind: 'lag', of: mean, windows: 1 },
    lag7: { kind: 'lag', of: mean, windows: 7 },
    difference2: { kind: 'difference', of: mean, windows: 2 },
    mean5: rolling('mean'),
    std5: rolling('std'),
    min5: rolling('min'),
    max5: rolling('max'),
    smooth: { kind: 'exponential-mean', of: mean, alpha: 0.3 },
  },
})

type Answers = Record<string, (number | null)[]>

/** Means of windows in a row; `null` where the window has no value of the channel. */
function seriesFrom(seed: number): (number | null)[][] {
  const random = seededRandom(seed)
  const make = (value: (i: number) => number | null): (number | null)[] =>
    Array.from({ length: 120 }, (_, i) => value(i))
  return [
    make(() => random() * 100 - 50),
    make(() => (random() < 0.35 ? null : random())),
    make((i) => (i < 9 ? null : 3.25)),
    make(() => 1e12 + random()),
    make((i) => (i % 2 === 0 ? 1e9 : -1e9) + random()),
    make(() => null),
  ]
}

function answersOf(series: readonly (number | null)[]): Answers {
  const driver = createPlanDriver(plan)
  for (const [i, x] of series.entries())
    driver.reading({ deviceId: 'd', timestamp: 1_766_000_000_000 + i * 1000, x, y: 1 })
  driver.endOfInput()
  const answers: Answers = {}
  for (const { message } of driver.take('device-features'))
    for (const [name, value] of Object.entries(message.features as Record<string, number | null>))
      answers[name] = [...(answers[name] ?? []), value]
  return answers
}

const python = [process.env['MILLWRIGHT_PYTHON'], join(import.meta.dirname, '../../../../.venv/bin/python')].find(
  (path) => path !== undefined && existsSync(path),
)

function askOracle(series: readonly (number | null)[][]): Answers[] {
  const script = join(import.meta.dirname, 'across-windows-oracle.py')
  const asked = spawnSync(python ?? '', [script], { input: JSON.stringify(series), encoding: 'utf8', maxBuffer: 1e9 })
  if (asked.status !== 0) throw new Error(asked.stderr)
  return JSON.parse(asked.stdout) as Answers[]
}

function expectEqual(series: readonly (number | null)[], oracle: Answers | undefined): void {
  const answers = answersOf(series)
  expect(Object.keys(answers)).toEqual(Object.keys(oracle ?? {}))
  for (const [name, values] of Object.entries(answers))
    for (const [i, value] of values.entries()) {
      const wanted = oracle?.[name]?.[i] ?? null
      const near =
        value === null || wanted === null ? value === wanted : Math.abs(value - wanted) <= 1e-9 * Math.abs(wanted)
      expect(near, `${name} of window ${i}: ${value}, wanted ${wanted}`).toBe(true)
    }
}

describe('features across windows agree with pandas to 1e-9 relative', () => {
  const goldenPath = join(import.meta.dirname, 'across-windows.golden.json')
  const series = seriesFrom(5)
  if (python !== undefined && process.env['MILLWRIGHT_UPDATE_GOLDEN'] === '1')
    writeFileSync(goldenPath, `${JSON.stringify(askOracle(series))}\n`)

  test('on stored answers', () => {
    const golden = JSON.parse(readFileSync(goldenPath, 'utf8')) as Answers[]
    for (const [i, values] of series.entries()) expectEqual(values, golden[i])
  })

  test.skipIf(python === undefined)('on new random series (needs a Python: MILLWRIGHT_PYTHON)', () => {
    const fresh = [...seriesFrom(6), ...seriesFrom(7)]
    const answers = askOracle(fresh)
    for (const [i, values] of fresh.entries()) expectEqual(values, answers[i])
  })
})
