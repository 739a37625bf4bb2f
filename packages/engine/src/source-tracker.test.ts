import { limits } from '@millwright/core'
import { expect, test } from 'vitest'
import { SourceTracker } from './source-tracker.ts'

const nothing = (): number => 0

test('acknowledged() passes an append when it and every earlier one has succeeded (K1)', () => {
  const tracker = new SourceTracker(nothing)
  const [first, second, third] = [10, 20, 30].map((position) => tracker.begin('a', position))
  second?.(true)
  expect(tracker.acknowledged('a')).toBe(0)
  first?.(true)
  expect(tracker.acknowledged('a')).toBe(20)
  third?.(true)
  expect(tracker.acknowledged('a')).toBe(30)
})

test('after a failed append nothing later counts, and everything later is refused, until the source resumes (K1, K2)', () => {
  const tracker = new SourceTracker(nothing)
  const [first, second, third] = [10, 20, 30].map((position) => tracker.begin('a', position))
  second?.(false)
  expect(() => tracker.begin('a', 40)).toThrow(expect.objectContaining({ code: 'SOURCE_INTERRUPTED', retry: 'now' }))
  tracker.begin('b', 40)
  first?.(true)
  expect(tracker.resume('a')).toBe(10)
  // It was on its way before the source resumed, and has a gap before it.
  third?.(true)
  expect(tracker.acknowledged('a')).toBe(10)
  tracker.begin('a', 20)(true)
  expect(tracker.acknowledged('a')).toBe(20)
})

test('a source begins where the logs say it stands', () => {
  const tracker = new SourceTracker((id) => (id === 'a' ? 70 : 0))
  expect(tracker.acknowledged('a')).toBe(70)
  expect(tracker.resume('a')).toBe(70)
  tracker.begin('a', 80)(true)
  expect(tracker.acknowledged('a')).toBe(80)
})

test('a bounded number of sources is kept, never one that has appends under way (K3)', () => {
  const tracker = new SourceTracker(nothing)
  const pending = tracker.begin('pending', 10)
  for (let n = 0; n < 2 * limits.sourcesMax; n++) tracker.begin(`source ${n}`, 10)(true)
  expect(tracker.acknowledged('source 0')).toBe(0)
  expect(tracker.acknowledged(`source ${2 * limits.sourcesMax - 1}`)).toBe(10)
  pending(true)
  expect(tracker.acknowledged('pending')).toBe(10)
})
