import { expect, test } from 'vitest'
import { exponentialGrowth } from './growth.ts'

test('exponentialGrowth() follows (e^5s - 1) / (e^5 - 1) within two percent of its range', () => {
  for (let s = 0; s <= 1; s += 0.001) {
    expect(Math.abs(exponentialGrowth(s) - Math.expm1(5 * s) / Math.expm1(5))).toBeLessThan(0.02)
  }
})

test('exponentialGrowth() is 0 at and below 0, 1 at and above 1, and never falls', () => {
  expect([-1, 0, 1, 2].map(exponentialGrowth)).toEqual([0, 0, 1, 1])
  for (let s = 0.001; s <= 1; s += 0.001) expect(exponentialGrowth(s)).toBeGreaterThan(exponentialGrowth(s - 0.001))
})
