import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeBaseline } from './baseline.ts'
import { binOf, makeHistogram } from './histogram.ts'

const float32s = fc.float({ noNaN: true, noDefaultInfinity: true })
/** Few distinct values beside many, so that quantiles fall together. */
const values = fc.array(fc.oneof(float32s, fc.constantFrom(0, -0, 1, 2, Number.NaN)), { maxLength: 200 })

test('makeHistogram() puts each value into the bin that binOf() names, and loses none', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 2, max: 40 }), (list, binCount) => {
      const histogram = makeHistogram(Float32Array.from(list), binCount)
      const counts = new Array<number>(histogram.counts.length).fill(0)
      for (const value of list)
        if (!Number.isNaN(value)) counts[binOf(histogram, value)] = (counts[binOf(histogram, value)] ?? 0) + 1
      expect(histogram.counts).toEqual(counts)
      expect(histogram.missing).toBe(list.filter(Number.isNaN).length)
      expect(histogram.counts.length).toBe(histogram.edges.length + 1)
      expect(histogram.edges.length).toBeLessThan(Math.max(3, binCount))
      expect(histogram.edges.every((edge, i) => i === 0 || edge > (histogram.edges[i - 1] as number))).toBe(true)
    }),
    { seed: 6, numRuns: 1000 },
  )
})

test('makeHistogram() makes bins of equal size where values are distinct', () => {
  const { edges, counts } = makeHistogram(
    Float32Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000),
    10,
  )
  expect(edges).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900])
  expect(counts).toEqual(new Array(10).fill(100))
})

test('makeHistogram() leaves room on both sides of a constant, so that drift away from it shows', () => {
  const { edges, counts, min, max } = makeHistogram(Float32Array.of(5, 5, Number.NaN), 10)
  expect(counts).toEqual([0, 2, 0])
  expect([edges[0], min, max]).toEqual([5, 5, 5])
  expect(binOf({ edges, counts, missing: 0, min, max }, 5.001)).toBe(2)
})

test('makeHistogram() of no value has one empty bin', () => {
  expect(makeHistogram(Float32Array.of(Number.NaN), 10)).toEqual({
    edges: [],
    counts: [0],
    missing: 1,
    min: null,
    max: null,
  })
})

test('makeBaseline() takes each feature from its own column', () => {
  const rows = Float32Array.of(1, 10, 2, 20, 3, Number.NaN, 4, 40)
  const baseline = makeBaseline(rows, ['low', 'high'], 2, Float32Array.of(0.1, 0.2, 0.3, 0.4))
  expect(baseline.features.map(({ min, max, missing }) => [min, max, missing])).toEqual([
    [1, 4, 0],
    [10, 40, 1],
  ])
  expect(baseline.probability.counts).toEqual([2, 2])
  expect(() => makeBaseline(rows, ['one'], 2, Float32Array.of(0.1))).toThrow(/each row/)
})
