import fc from 'fast-check'
import { expect, test } from 'vitest'
import { histogramOf } from '../testing/simulated-fleet.ts'
import { addColumn, columnSlots, countValue, readColumn, sizeless } from './column-counts.ts'
import { driftColumns, meanAbsoluteContributions } from './drift-reference.ts'

const training = Array.from({ length: 100 }, (_, i) => i / 10)
const [column] = driftColumns({
  model: { name: 'failure', version: '1' },
  features: [{ name: 'a', baseline: histogramOf(training), importance: null }],
  probability: histogramOf(training),
})
if (column === undefined) throw new Error('a reference has columns')

const value = fc.option(fc.integer({ min: -40, max: 160 }).map((n) => n / 10))

test('columns counted apart and added are the column counted at once, and what it says is true', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.nat(), (values, at) => {
      const cut = at % values.length
      const slots = (): number[] => new Array<number>(columnSlots(column) + 3).fill(0)
      const [whole, first, second] = [slots(), slots(), slots()]
      let previous: number | null = null
      for (const [i, one] of values.entries()) {
        countValue(whole, 3, column, one, previous)
        countValue(i < cut ? first : second, 3, column, one, previous)
        previous = sizeless(column, one)
      }
      addColumn(first, 3, second, 3, column)
      expect(first).toEqual(whole)
      const known = values.filter((one) => one !== null)
      const read = readColumn(whole, 3, column)
      expect(read.count).toBe(values.length)
      expect(read.counts.at(-1)).toBe(values.length - known.length)
      expect(read.min).toBe(known.length === 0 ? null : Math.min(...known))
      expect(read.max).toBe(known.length === 0 ? null : Math.max(...known))
      expect(read.outside).toBe(known.filter((one) => one < 0 || one > 9.9).length)
      for (const [bin, count] of read.counts.slice(0, -1).entries()) {
        const from = column.baseline.edges[bin - 1] ?? Number.NEGATIVE_INFINITY
        const to = column.baseline.edges[bin] ?? Number.POSITIVE_INFINITY
        expect(count).toBe(known.filter((one) => from <= one && one < to).length)
      }
      expect(read.effective).toBeLessThanOrEqual(values.length + 1e-9)
    }),
    { numRuns: 300 },
  )
})

test('meanAbsoluteContributions() leaves the bias out', () => {
  expect(meanAbsoluteContributions([Float32Array.of(1, -2, 9), Float32Array.of(-3, 0, 9)])).toEqual([2, 1])
})
