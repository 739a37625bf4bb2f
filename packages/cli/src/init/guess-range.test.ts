import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { guessRange } from './guess-range.ts'
import { guessWindowSizeMs } from './guess-window.ts'

describe('guessRange()', () => {
  test.each([
    [{ min: 20.1, max: 81.7, low: 22, high: 80 }, '°C', { min: -10, max: 110 }],
    [{ min: 0, max: 12.09, low: 0, high: 11 }, 'l/min', { min: 0, max: 18 }],
    [{ min: 0.514, max: 2.546, low: 0.52, high: 1.2 }, 'mm/s', { min: 0.1, max: 2.6 }],
    [{ min: 10, max: 96, low: 12, high: 95 }, '%', { min: 0, max: 100 }],
    [{ min: 5, max: 5, low: 5, high: 5 }, 'V', { min: 2, max: 8 }],
    [{ min: 0, max: 0, low: 0, high: 0 }, 'V', { min: 0, max: 0.6 }],
    [{ min: -4, max: -4, low: -4, high: -4 }, 'V', { min: -6, max: -2 }],
  ])('of %j in %s', (spread, unit, wanted) => {
    expect(guessRange(spread, unit)).toEqual(wanted)
  })

  test('takes absurd extremes for what a broken sensor says, and others for real', () => {
    expect(guessRange({ min: -9999, max: 65_535, low: 20, high: 30 }, '°C')).toEqual({ min: 14, max: 36 })
    expect(guessRange({ min: 10, max: 55, low: 20, high: 30 }, '°C')).toEqual({ min: 10, max: 56 })
  })

  test('holds the middle part of what was seen, with a few digits', () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true })
    fc.assert(
      fc.property(fc.array(number, { minLength: 4, maxLength: 4 }), (values) => {
        const [min = 0, low = 0, high = 0, max = 0] = values
          .map((value) => Math.round(value * 1e3) / 1e3)
          .sort((a, b) => a - b)
        const range = guessRange({ min, low, high, max }, '1')
        expect(range.min).toBeLessThanOrEqual(low)
        expect(range.max).toBeGreaterThanOrEqual(high)
        if (min >= 0) expect(range.min).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 2000, seed: 101 },
    )
  })
})

describe('guessWindowSizeMs()', () => {
  const minuteMs = 60_000
  test.each([
    [1, 5],
    [1000, 5],
    [25_000, 5],
    [26_000, 10],
    [5 * minuteMs, 60],
    [60 * minuteMs, 12 * 60],
    [24 * 60 * minuteMs, 14 * 24 * 60],
    [400 * 24 * 60 * minuteMs, 28 * 24 * 60],
    [Number.NaN, 5],
  ])('of readings every %s ms is %s minutes', (intervalMs, minutes) => {
    expect(guessWindowSizeMs(intervalMs)).toBe(minutes * minuteMs)
  })
})
