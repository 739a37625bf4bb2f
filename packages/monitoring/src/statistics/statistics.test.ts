import { expect, test } from 'vitest'
import { seeded } from '../testing/random-plant.ts'
import { effectiveSize } from './effective-size.ts'
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts'
import { medianOfCounts } from './median.ts'
import { populationStability } from './population-stability.ts'
import { f1Score, proportion } from './proportion.ts'

test('shares of nothing are null, and bounds end at the ends', () => {
  expect(proportion(0, 0)).toEqual({ value: null, low: null, high: null, count: 0 })
  expect(f1Score(0, 0, 0).value).toBe(null)
  expect(populationStability([0, 0], [1, 1])).toBe(null)
  expect(proportion(7, 7).high).toBe(1)
})

test('f1Score() is 2·TP / (2·TP + FP + FN), within its bounds', () => {
  const { value, low, high } = f1Score(30, 10, 20)
  expect(value).toBeCloseTo(60 / 90, 12)
  expect(low).toBeLessThan(60 / 90)
  expect(high).toBeGreaterThan(60 / 90)
})

test('medianOfCounts() is the median of what it counts, its bounds by the ranks of Campbell and Gardner', () => {
  // Their example of n = 100 takes the 40th and the 61st.
  const counts = new Map(Array.from({ length: 100 }, (_, i) => [i + 1, 1]))
  expect(medianOfCounts(counts)).toEqual({ value: 50.5, low: 40, high: 61, count: 100 })
  expect(
    medianOfCounts(
      new Map([
        [5, 3],
        [1, 2],
        [9, 0],
      ]),
    ),
  ).toEqual({ value: 5, low: 1, high: 5, count: 5 })
  expect(medianOfCounts(new Map()).value).toBe(null)
})

test('effectiveSize() is what an autoregression of known correlation is worth', () => {
  const random = seeded(2)
  for (const correlation of [0, 0.5, 0.9]) {
    const sums = { count: 0, sum: 0, squares: 0, pairs: 0, products: 0 }
    let value = 0
    for (let i = 0; i < 40_000; i++) {
      const next = correlation * value + (random() - 0.5)
      sums.count += 1
      sums.sum += next
      sums.squares += next * next
      sums.pairs += 1
      sums.products += next * value
      value = next
    }
    const wanted = (40_000 * (1 - correlation)) / (1 + correlation)
    expect(Math.abs(effectiveSize(sums) / wanted - 1)).toBeLessThan(0.1)
  }
})

test('kolmogorovSmirnov() goes over to the limit for large samples, near the exact one', () => {
  const random = seeded(3)
  const sample = (size: number, shift: number): number[] => Array.from({ length: size }, () => random() + shift)
  const [a, b] = [sample(1100, 0), sample(1000, 0.05)]
  const limit = kolmogorovSmirnov(a, b)
  const exact = kolmogorovSmirnov(a.slice(0, 1000), b.slice(0, 999))
  expect([limit.exact, exact.exact]).toEqual([false, true])
  expect(limit.pValue).toBeGreaterThan(exact.pValue / 10)
  expect(limit.pValue).toBeLessThan(exact.pValue * 10)
})
