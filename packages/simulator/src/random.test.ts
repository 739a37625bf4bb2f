import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bellOf, mix32, randomWord, uniform, unitOf } from './random.ts'

const count = 100_000
const words = Array.from({ length: count }, (_, i) => randomWord(42, i))

test('mix32() gives the published values of the finaliser of MurmurHash3', () => {
  // Made with smhasher's fmix32: fmix32(1) and fmix32(0xdeadbeef); 0 is its fixed point.
  expect(mix32(0)).toBe(0)
  expect(mix32(1) >>> 0).toBe(0x514e28b7)
})

test('randomWord() gives uniform numbers that do not follow each other', () => {
  const units = words.map(unitOf)
  const mean = units.reduce((a, b) => a + b) / count
  const lagged = units.slice(1).reduce((sum, u, i) => sum + (u - 0.5) * ((units[i] as number) - 0.5), 0) / (count / 12)
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.005)
  expect(Math.abs(lagged)).toBeLessThan(0.01)
  const cells = new Array(64).fill(0)
  for (const u of units) cells[Math.floor(u * 64)]++
  const chiSquare = cells.reduce((sum, n) => sum + (n - count / 64) ** 2 / (count / 64), 0)
  expect(chiSquare).toBeLessThan(120) // 63 degrees of freedom: above 120 once in 50,000.
})

test('randomWord() gives neighbouring keys unrelated streams', () => {
  let agreements = 0
  for (let i = 0; i < count; i++) if (((words[i] as number) ^ randomWord(43, i)) % 16 === 0) agreements++
  expect(Math.abs(agreements / count - 1 / 16)).toBeLessThan(0.004)
})

test('bellOf() has mean 0, variance 1 and no outlier', () => {
  const values = words.map(bellOf)
  const mean = values.reduce((a, b) => a + b) / count
  const variance = values.reduce((a, b) => a + b * b, 0) / count - mean * mean
  expect(Math.abs(mean)).toBeLessThan(0.015)
  expect(Math.abs(variance - 1)).toBeLessThan(0.02)
  expect(Math.max(...values.slice(0, 50_000))).toBeLessThan(3.47)
})

test('uniform() stays in its range', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.double({ min: -1e6, max: 1e6, noNaN: true }), (key, counter, min) => {
      const value = uniform(key, counter, min, min + 10)
      return value >= min && value <= min + 10
    }),
    { seed: 7 },
  )
})
