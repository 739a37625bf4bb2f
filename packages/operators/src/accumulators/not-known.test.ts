/** P1 of `state-migration.ts`: a part that is not known stays so, whatever is added and merged, and harms no other part. */

import { aggregateStatistics } from '@millwright/core'
import { createFoldKernel, createPlainFold, Fold, foldRowsMax, windowHeaderFloats } from '@millwright/kernels'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { accumulatorLayout, fieldsOf, partFields, partOffset, partsOfStatistic } from './layout.ts'
import { merge } from './merge.ts'
import { statisticKnown, statisticReader } from './statistics.ts'
import { planOf } from './statistics-testing.ts'

const layout = accumulatorLayout(planOf(aggregateStatistics))
const [channel] = layout.channels
if (channel === undefined) throw new Error('the layout keeps the channel')

/** Parts that need no other one. A plan that keeps the third moment keeps the second, and so on. */
const dependents = new Map<string, readonly string[]>([
  ['moment2', ['moment3', 'moment4', 'slope']],
  ['moment3', ['moment4']],
])
const names = ['count', 'sum', 'moment2', 'moment3', 'moment4', 'slope', 'extremes', 'first', 'last'] as const

/** Makes parts of a window not known, as a migration does; with the count all are. */
function forget(fields: Float64Array, base: number, forgotten: ReadonlySet<string>): void {
  for (const [i, [part]] of partFields.entries()) {
    if (!forgotten.has('count') && !forgotten.has(names[i] as string)) continue
    const at = base + partOffset(channel?.parts ?? 0, part)
    fields.fill(Number.NaN, at, at + fieldsOf(part))
  }
}

const reading = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.double({ min: -100, max: 100, noNaN: true }))
const readings = (minLength: number) => fc.array(reading, { minLength, maxLength: 6 })

test.each([
  ['the kernel', createFoldKernel],
  ['plain TypeScript', createPlainFold],
])('%s and merge() keep what is not known so, and what is known exact (P1)', (_, createWork) => {
  let checked = 0
  fc.assert(
    fc.property(
      readings(1),
      readings(0),
      readings(0),
      fc.subarray([...names]),
      fc.boolean(),
      (before, after, other, chosen, forgottenFirst) => {
        const forgotten = new Set(chosen.flatMap((name) => [name, ...(dependents.get(name) ?? [])]))
        const fold = new Fold(
          {
            channelCount: 1,
            rules: [],
            accumulators: layout.channels,
            accumulatorFields: layout.fieldCount,
            windowsPerReading: 1,
            arrival: false,
            maxJumpMs: 0,
            maxClockAheadMs: 0,
            silentAfterMs: 0,
          },
          createWork,
        )
        const add = (slot: number, rows: typeof before): void => {
          for (const [seconds, value] of rows) {
            fold.writeReading(foldRowsMax, 1_766_000_000_000 + 1000 * seconds, Float64Array.of(value))
            fold.addToWindow(foldRowsMax, slot)
          }
        }
        // The same twice: a window and another that is merged with it, once with parts that are not known in one of them.
        const results = [new Set<string>(), forgotten].map((lost) => {
          const window = fold.addWindow()
          const second = fold.addWindow()
          add(window, before)
          forget(fold.floats, window + windowHeaderFloats, lost)
          add(window, after)
          add(second, other)
          const [into, from] = forgottenFirst ? [window, second] : [second, window]
          merge(layout, fold.floats, into + windowHeaderFloats, from + windowHeaderFloats)
          return into + windowHeaderFloats
        }) as [number, number]
        for (const statistic of aggregateStatistics) {
          const read = statisticReader(statistic, channel)
          const [whole, found] = results.map((base) => read(fold.floats, base)) as [number, number]
          const known = statisticKnown(statistic, channel)(fold.floats, results[1])
          const wanted = partFields.some(([part], i) => {
            return (
              (partsOfStatistic[statistic] & part) !== 0 &&
              (forgotten.has('count') || forgotten.has(names[i] as string))
            )
          })
          expect(known, `${statistic} without ${[...forgotten]}`).toBe(!wanted)
          if (known) expect(found, statistic).toBe(whole)
          // Over one value the deviation is 0, whatever it is.
          else if (!(statistic === 'std' && whole === 0)) expect(found, statistic).toBeNaN()
          checked += 1
        }
      },
    ),
    { seed: 5, numRuns: 300 },
  )
  expect(checked).toBeGreaterThan(3000)
})
