import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plannedLoad, shiftPatternCount, triangle } from './load.ts'

const mondayMs = Date.parse('2026-01-05T00:00:00Z')
const hourMs = 3_600_000

test('plannedLoad() is within 0..1 and continuous at any time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: shiftPatternCount - 1 }),
      fc.integer({ min: 0, max: 4e12 }),
      fc.constantFrom(360_000, hourMs),
      (pattern, timeMs, rampMs) => {
        const load = plannedLoad(pattern, timeMs, rampMs)
        const later = plannedLoad(pattern, timeMs + 1000, rampMs)
        return load >= 0 && load <= 1 && Math.abs(later - load) <= 1000 / rampMs
      },
    ),
    { seed: 7 },
  )
})

test('plannedLoad() of two shifts is low at night, high at work, low on Sunday', () => {
  const at = (day: number, hour: number) =>
    plannedLoad(0, mondayMs + day * 24 * hourMs + (hour + 0.5) * hourMs, 360_000)
  expect(at(0, 2)).toBe(0.3)
  expect(at(0, 9)).toBe(0.9)
  expect(at(6, 9)).toBe(0.2)
})

test('plannedLoad() reaches the new level at the end of the ramp', () => {
  const six = mondayMs + 6 * hourMs
  expect(plannedLoad(0, six, hourMs)).toBe(0.3)
  expect(plannedLoad(0, six + hourMs / 2, hourMs)).toBeCloseTo(0.55, 12)
  expect(plannedLoad(0, six + 360_000, 360_000)).toBe(0.8)
})

test('triangle() runs from -1 to 1 and back in one period', () => {
  expect([0, 25, 50, 75, 100].map((t) => triangle(t, 100, 0))).toEqual([-1, 0, 1, 0, -1])
  expect(triangle(0, 100, 0.5)).toBe(1)
})
