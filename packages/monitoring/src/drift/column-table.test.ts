import fc from 'fast-check'
import { expect, test } from 'vitest'
import { histogramOf } from '../testing/simulated-fleet.ts'
import { ColumnTable, noZ, sizeless } from './column-table.ts'
import { driftColumns, meanAbsoluteContributions } from './drift-reference.ts'

// All of them float32, as what is counted is.
const training = Array.from({ length: 100 }, (_, i) => i / 8)
const [column] = driftColumns({
  model: { name: 'failure', version: '1' },
  features: [{ name: 'a', baseline: histogramOf(training), importance: null }],
  probability: histogramOf(training),
})
if (column === undefined) throw new Error('a reference has columns')

const value = fc.option(fc.integer({ min: -40, max: 160 }).map((n) => n / 8))

test('rows counted apart and added are the row counted at once, read from a state it is the same, and what it says is true', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), fc.nat(), (values, at) => {
      const cut = at % values.length
      const [all, one, other, far] = [0, 1, 2, 3 * 256]
      const [table, fleet] = [new ColumnTable([column], Uint32Array), new ColumnTable([column], Float64Array)]
      const previous = Int16Array.of(noZ)
      for (const [i, value] of values.entries()) {
        const given = Float32Array.of(value ?? Number.NaN)
        const z = Int16Array.of(sizeless(column, value ?? Number.NaN))
        for (const row of [all, i < cut ? one : other]) table.count(row, given, z, previous)
        previous.set(z)
      }
      fleet.addRow(far, table, one)
      fleet.addRow(far, table, other)
      expect(fleet.toJson(far)).toEqual(table.toJson(all))
      expect(fleet.read(far)).toEqual(table.read(all))
      const json = fleet.toJson(far)
      fleet.clear(far)
      expect(fleet.read(far)[0]?.count).toBe(0)
      fleet.fromJson(far, json)
      expect(fleet.toJson(far)).toEqual(json)
      const known = values.filter((one) => one !== null)
      const [read] = table.read(all)
      if (read === undefined) throw new Error('a table has its columns')
      expect(read.count).toBe(values.length)
      expect(read.counts.at(-1)).toBe(values.length - known.length)
      expect(read.min).toBe(known.length === 0 ? null : Math.min(...known))
      expect(read.max).toBe(known.length === 0 ? null : Math.max(...known))
      expect(read.outside).toBe(known.filter((one) => one < 0 || one > 99 / 8).length)
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
