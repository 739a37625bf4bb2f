import { partitionOf } from '@millwright/core'
import { expect, test } from 'vitest'
import { feedbackRecords } from './kafka-feedback.ts'

test('feedbackRecords() keeps the order of a device and puts it where its readings are', () => {
  const lines = Array.from({ length: 20 }, (_, n) => ({ deviceId: `press-${n % 3}`, line: `{"n":${n}}` }))
  const records = feedbackRecords([...lines, { deviceId: null, line: '{}' }], 3)
  const found = [...records].flatMap(([partition, some]) =>
    some.map(({ key, value }) => ({ partition, key: key?.toString() ?? null, value: value.toString() })),
  )
  expect(found).toHaveLength(21)
  for (const { partition, key } of found) expect(partition).toBe(key === null ? 0 : partitionOf(key, 3))
  for (const device of ['press-0', 'press-1', 'press-2'])
    expect(found.filter(({ key }) => key === device).map(({ value }) => value)).toEqual(
      lines.filter(({ deviceId }) => deviceId === device).map(({ line }) => line),
    )
})
