import fc from 'fast-check'
import { expect, test } from 'vitest'
import { float32OfDecimal } from './decimal-float32.ts'

const read = (text: string): number => float32OfDecimal(Number(text), () => text)

/** Any finite float32, by its bits. */
const float32s = fc
  .integer({ min: -0x8000_0000, max: 0x7fff_ffff })
  .map((bits) => new Float32Array(Int32Array.of(bits).buffer)[0] as number)
  .filter((value) => Number.isFinite(value))

/** Exact decimal of a double, with all its digits. */
function exactDecimal(value: number): string {
  let scaled = Math.abs(value)
  let twos = 0
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    twos += 1
  }
  const digits = (BigInt(scaled) * 5n ** BigInt(twos)).toString()
  return `${value < 0 ? '-' : ''}${digits}e-${twos}`
}

test('float32OfDecimal() reads back the shortest and the exact decimal of every float32', () => {
  fc.assert(
    fc.property(float32s, (value) => {
      expect(read(exactDecimal(value))).toBe(value + 0)
      expect(read(value.toPrecision(9))).toBe(value + 0)
    }),
    { seed: 1, numRuns: 2000 },
  )
})

test('float32OfDecimal() decides by the decimal where the double lies half-way between two float32', () => {
  fc.assert(
    fc.property(float32s, (low) => {
      const bits = new Int32Array(Float32Array.of(low).buffer)
      const high = new Float32Array(Int32Array.of((bits[0] as number) + 1).buffer)[0] as number
      if (!Number.isFinite(high) || Object.is(low, -0)) return
      const half = exactDecimal(low + (high - low) / 2)
      const [mantissa, exponent] = half.split('e-') as [string, string]
      // One more digit, far below what a double can hold: the double of both is the half-way point itself.
      const beyond = `${mantissa}0000000000000001e-${Number(exponent) + 16}`
      expect(read(beyond)).toBe(high)
      const even = (bits[0] as number) % 2 === 0 ? low : high
      expect(read(half)).toBe(even)
    }),
    { seed: 2, numRuns: 2000 },
  )
})

test('float32OfDecimal() rounds twice nowhere: the case that Math.fround(Number(text)) gets wrong', () => {
  const text = '1.000000059604644775390626'
  expect(Math.fround(Number(text))).toBe(1)
  expect(read(text)).toBe(1 + 2 ** -23)
})
