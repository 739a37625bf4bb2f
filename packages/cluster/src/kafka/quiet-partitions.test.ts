import { expect, test } from 'vitest'
import { quietAfterMs, quietOf, quietText } from './quiet-partitions.ts'

const nowMs = 1_767_571_200_000

test('quietOf() names the partitions whose newest record is old, and those that have none', () => {
  const newest = [nowMs - quietAfterMs + 1, nowMs - quietAfterMs, null, nowMs + 5]
  expect(quietOf('device-events', newest, nowMs)).toEqual([
    { topic: 'device-events', partition: 1, quietMs: quietAfterMs },
    { topic: 'device-events', partition: 2, quietMs: null },
  ])
})

test('quietText() says which, for how long, what waits and what to do', () => {
  expect(quietText([], true)).toBeNull()
  const quiet = quietOf('sensor-data', [nowMs - 240_000, null], nowMs)
  expect(quietText(quiet, true)).toMatch(
    /sensor-data 0 \(for 4 min\), sensor-data 1 \(nothing ever\)\. .*every reading waits/,
  )
  expect(quietText(quiet, false)).toMatch(/windows and alerts do not\. .*millwright run --kafka/)
})
