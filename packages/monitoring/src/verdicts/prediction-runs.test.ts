import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countWithin, firstEndWithin, lastEndMs, type Prediction, PredictionRuns } from './prediction-runs.ts'

const sizeMs = 10

function predictionOf(end: number, { model = 0, high = false, band = 0, revision = 0 } = {}): Prediction {
  return { startMs: end - sizeMs, endMs: end, model, high, band, revision }
}

function windowsOf(runs: PredictionRuns): [number, string][] {
  return runs
    .runs()
    .flatMap(({ firstEndMs, stepMs, count, model, high, band }) =>
      Array.from(
        { length: count },
        (_, i) => [firstEndMs + i * stepMs, `${model} ${high} ${band}`] as [number, string],
      ),
    )
}

test('PredictionRuns remembers each window with its last judgement, in whatever order they come (R1 to R4)', () => {
  const one = fc.record({
    end: fc.integer({ min: 1, max: 40 }).map((n) => n * 5),
    model: fc.integer({ min: 0, max: 1 }),
    high: fc.boolean(),
    band: fc.integer({ min: 0, max: 1 }),
    revision: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 120 }), fc.integer({ min: 0, max: 210 }), (records, cut) => {
      const runs = new PredictionRuns()
      const wanted = new Map<number, string>()
      for (const { end, ...rest } of records) {
        const known = wanted.get(end)
        const judgement = `${rest.model} ${rest.high} ${rest.band}`
        expect(runs.record(predictionOf(end, rest))).toBe(
          known === undefined ? 'added' : known === judgement ? 'unchanged' : 'changed',
        )
        wanted.set(end, judgement)
      }
      const sorted = [...wanted].sort(([a], [b]) => a - b)
      expect(windowsOf(runs)).toEqual(sorted)
      for (const run of runs.runs()) expect(run.count === 1).toBe(run.stepMs === 0)
      for (let i = 1; i < runs.runCount; i++) expect(lastEndMs(runs.run(i - 1))).toBeLessThan(runs.run(i).firstEndMs)
      const within = runs.runs().reduce((sum, run) => sum + countWithin(run, cut - 50, cut), 0)
      expect(within).toBe(sorted.filter(([end]) => cut - 50 < end && end <= cut).length)
      const firsts = runs.runs().flatMap((run) => firstEndWithin(run, cut - 50, cut) ?? [])
      expect(firsts[0]).toBe(sorted.find(([end]) => cut - 50 < end && end <= cut)?.[0])
      const again = new PredictionRuns(JSON.parse(JSON.stringify(runs.toJson())) as number[])
      expect(again.toJson()).toEqual(runs.toJson())
      const removed = new PredictionRuns()
      for (const { firstEndMs, stepMs, count, ...rest } of runs.removeUpTo(cut))
        for (let i = 0; i < count; i++) removed.record(predictionOf(firstEndMs + i * stepMs, rest))
      expect(windowsOf(removed)).toEqual(sorted.filter(([end]) => end <= cut))
      expect(windowsOf(runs)).toEqual(sorted.filter(([end]) => end > cut))
    }),
    { numRuns: 500 },
  )
})

test('a session that grew takes the place of those it swallowed', () => {
  const runs = new PredictionRuns()
  const session = (startMs: number, endMs: number, revision: number): void => {
    runs.record({ startMs, endMs, model: 0, high: false, band: 0, revision })
  }
  session(0, 30, 0)
  session(50, 60, 0)
  session(100, 120, 0)
  session(50, 130, 1)
  expect(windowsOf(runs).map(([end]) => end)).toEqual([30, 130])
})
