import { limits } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeviceTable } from './device-table.ts'
import { isRemembered, ReadingHashes, remember } from './redelivery.ts'

/** Hash of one reading, as one text. */
function hashOf(values: readonly number[], nanHigh = 0x7ff80000): string {
  const columns = values.map((value) => {
    const bits = new Int32Array(Float64Array.of(value).buffer)
    if (Number.isNaN(value)) bits.set([1, nanHigh])
    return bits
  })
  const hashes = new ReadingHashes(1)
  hashes.hash(columns, 1)
  return `${hashes.low[0]},${hashes.high[0]}`
}

describe('ReadingHashes', () => {
  test('never gives two readings that differ in one value the same hash', () => {
    const value = fc.double({ noDefaultInfinity: true })
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), fc.nat(5), value, (values, at, other) => {
        const changed = values.with(at % values.length, other)
        const same = values.every((found, i) => Object.is(found, changed[i]))
        expect(hashOf(changed) === hashOf(values)).toBe(same)
      }),
      { seed: 3, numRuns: 20_000 },
    )
  })

  test('gives a missing value one hash whatever its bits (R2)', () => {
    expect(hashOf([1, Number.NaN], -0x80000)).toBe(hashOf([1, Number.NaN], 0x7ff00001))
    expect(hashOf([1, Number.NaN])).not.toBe(hashOf([1, 0]))
  })

  test('spreads readings that hardly differ: none of 200,000 collides', () => {
    const seen = new Set<string>()
    for (let time = 0; time < 200; time++)
      for (let x = 0; x < 50; x++)
        for (let y = 0; y < 20; y++) seen.add(hashOf([1_766_000_000_000 + time * 1000, x / 10, y / 100]))
    expect(seen.size).toBe(200_000)
  })
})

test('remember() keeps the last 16, also long after the ring is full (R1)', () => {
  const table = new DeviceTable({ redelivery: true })
  table.begin(0)
  expect(isRemembered(table, 0, 0, 0)).toBe(false)
  for (let i = 1; i <= 100; i++) {
    remember(table, 0, i, -i)
    for (let j = 1; j <= i; j++)
      expect(isRemembered(table, 0, j, -j), `${j} of ${i}`).toBe(j > i - limits.redeliveryReadings)
  }
  expect(isRemembered(table, 0, 100, 100)).toBe(false)
})
