import { DurationHistogram } from '@millwright/core'
import { expect, test } from 'vitest'
import { UndurableAppends } from './undurable-appends.ts'

test('UndurableAppends measures each output once, when a sync has covered all of its append time', () => {
  const appends = new UndurableAppends()
  const histogram = new DurationHistogram([10, 100, 1000])
  for (const offset of [5, 6, 7]) appends.added(offset, 1000)
  appends.added(8, 1050)
  appends.durable(7, 1060, histogram)
  expect(histogram.read().counts).toEqual([0, 0, 0, 0])
  appends.durable(8, 1080, histogram)
  expect(histogram.read()).toEqual({ boundsMs: [10, 100, 1000], counts: [0, 3, 3, 3], sumMs: 240 })
  appends.durable(9, 1055, histogram)
  appends.durable(9, 9999, histogram)
  expect(histogram.read()).toMatchObject({ counts: [1, 4, 4, 4], sumMs: 245 })
})

test('UndurableAppends counts no time where the clock was set back, and all that is longer than its bounds', () => {
  const appends = new UndurableAppends()
  const histogram = new DurationHistogram([10])
  appends.added(0, 500)
  appends.durable(1, 400, histogram)
  appends.added(1, 500)
  appends.durable(2, 900, histogram)
  expect(histogram.read()).toEqual({ boundsMs: [10], counts: [1, 2], sumMs: 400 })
})
