import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { float32ToJson, float64ToJson } from './numbers.ts'

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true })

describe('float32ToJson()', () => {
  test('reads back as the same float32, and no shorter decimal does', () => {
    fc.assert(
      fc.property(float32, (value) => {
        const text = float32ToJson(value)
        const back = Math.fround(JSON.parse(text) as number)
        expect(back === value).toBe(true)
        const digits = digitsOf(text)
        if (digits > 1) {
          const shorter = Math.fround(Number(value.toPrecision(digits - 1)))
          expect(shorter === value).toBe(false)
        }
      }),
      { numRuns: 20_000 },
    )
  })
  test.each([
    [Math.fround(0.1), '0.1'],
    [Math.fround(0.8), '0.8'],
    [1, '1'],
    [0, '0'],
    [-0, '-0'],
    [1.401298464324817e-45, '1e-45'],
    [3.4028234663852886e38, '3.4028235e+38'],
    [16777216, '16777216'],
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, 'null'],
  ])('prints %d as %s', (value, text) => {
    expect(float32ToJson(value)).toBe(text)
  })
})

describe('float64ToJson()', () => {
  test('reads back as the same double, negative zero included', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
        Object.is(JSON.parse(float64ToJson(value)), value),
      ),
    )
  })
  test('prints what JSON lacks as null', () => {
    expect(float64ToJson(Number.NaN)).toBe('null')
    expect(float64ToJson(Number.NEGATIVE_INFINITY)).toBe('null')
  })
})

/** Significant digits of a printed decimal. */
function digitsOf(text: string): number {
  return text.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '').length
}
