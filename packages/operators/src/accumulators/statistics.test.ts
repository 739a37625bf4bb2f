import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answersOf, type Series, wrongness } from './statistics-testing.ts'

/** Numbers in 0..1 from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

function seriesFrom(seed: number): Series[] {
  const random = randomFrom(seed)
  const noise = (): number => random() + random() + random() + random() - 2
  const make = (name: string, count: number, value: (i: number) => number | null): Series => {
    // Some readings are out of order, some of one time.
    const times = Array.from(
      { length: count },
      (_, i) => 1_766_000_000_000 + i * 1000 - Math.floor(random() * 3) * 1000,
    )
    return { name, times, values: Array.from({ length: count }, (_, i) => value(i)) }
  }
  return [
    make('random', 300, () => 50 + 10 * noise()),
    make('long', 3000, (i) => 20 + i * 0.001 + noise()),
    make('skewed', 300, () => random() ** 6 * 100),
    make('constant', 50, () => 3.3),
    make('zero', 20, () => 0),
    make('one value', 1, () => 12.5),
    make('two values', 2, noise),
    make('nothing', 3, () => null),
    make('some missing', 200, () => (random() < 0.4 ? null : 7 + noise())),
    make('offset 1e9', 300, () => 1e9 + noise()),
    make('offset 1e12', 300, () => 1e12 + noise()),
    make('offset 1e12, spread 1e-2', 300, () => 1e12 + 0.01 * noise()),
    make('offset -1e12 after a missing one', 100, (i) => (i === 0 ? null : -1e12 + noise())),
    make('outlier first', 300, (i) => (i === 0 ? 1e12 : 5 + noise())),
    make('outlier last', 300, (i) => (i === 299 ? 1e9 : 5 + noise())),
    make('alternating signs', 301, (i) => (i % 2 === 0 ? 1e9 : -1e9) + noise()),
    make('cancelling to a crumb', 200, (i) => (i % 2 === 0 ? 1e15 : -1e15) + (i === 7 ? 0.375 : 0)),
    make('small', 100, () => 1e-150 * noise()),
    make('denormal', 100, () => 1e-310 * noise()),
    make('large', 100, () => 1e60 * noise()),
    make('all at one time', 40, noise),
  ].map((series) =>
    series.name === 'all at one time' ? { ...series, times: series.times.map(() => 1_766_000_000_000) } : series,
  )
}

const goldenPath = join(import.meta.dirname, 'statistics.golden.json')
const golden = (): Record<string, number | null>[] =>
  JSON.parse(readFileSync(goldenPath, 'utf8')) as Record<string, number | null>[]

/** A Python with pandas and SciPy: named by the environment, or the repository's own. */
const python = [process.env['MILLWRIGHT_PYTHON'], join(import.meta.dirname, '../../../../.venv/bin/python')].find(
  (path) => path !== undefined && existsSync(path),
)

function askOracle(series: readonly Series[]): Record<string, number | null>[] {
  const script = join(import.meta.dirname, 'statistics-oracle.py')
  const asked = spawnSync(python ?? '', [script], { input: JSON.stringify(series), encoding: 'utf8', maxBuffer: 1e9 })
  if (asked.status !== 0) throw new Error(asked.stderr)
  return JSON.parse(asked.stdout) as Record<string, number | null>[]
}

function expectRight(series: Series, oracle: Record<string, number | null> | undefined, splitAt: number | null): void {
  const answers = answersOf(series, splitAt)
  expect(Object.keys(answers).length).toBe(16)
  for (const [name, answer] of Object.entries(answers))
    expect(wrongness(name, answer, oracle ?? {}), `${series.name}, split at ${splitAt}`).toBeNull()
}

const goldenSeries = seriesFrom(20_260_101)

describe('statistics agree with pandas, NumPy and SciPy to 1e-9 relative', () => {
  if (python !== undefined && process.env['MILLWRIGHT_UPDATE_GOLDEN'] === '1')
    writeFileSync(goldenPath, `${JSON.stringify(askOracle(goldenSeries), null, 1)}\n`)

  test.each(goldenSeries.map((series, index) => ({ name: series.name, index })))('on $name', ({ index }) => {
    const series = goldenSeries[index] as Series
    // The first window must hold the earlier times, as merged sessions do. Readings are at most three places out of order.
    const { times } = series
    const cuts = [...times.keys()].filter(
      (cut) => Math.max(...times.slice(Math.max(0, cut - 9), cut)) < Math.min(...times.slice(cut, cut + 9)),
    )
    expectRight(series, golden()[index], null)
    for (const cut of [cuts[0], cuts[Math.floor(cuts.length / 3)], cuts.at(-1)])
      expectRight(series, golden()[index], cut ?? null)
  })

  test.skipIf(python === undefined)(
    'on new random series (needs a Python: MILLWRIGHT_PYTHON)',
    () => {
      for (const seed of [1, 2, 3]) {
        const all = seriesFrom(seed)
        const answers = askOracle(all)
        for (const [index, series] of all.entries()) expectRight(series, answers[index], null)
      }
      // Three starts of Python with SciPy, which on a busy machine wait for their processor.
    },
    180_000,
  )
})
