import { ConfigurationError } from '@millwright/core'
import { expect, test } from 'vitest'
import { offsetsText, parseRangeEdge, recordCountMaxOf } from './topic-range.ts'

test('parseRangeEdge() takes words, times with a zone, and offsets', () => {
  expect(parseRangeEdge('--from', 'earliest')).toBe('earliest')
  expect(parseRangeEdge('--from', '2026-11-23T06:00:00Z')).toEqual({ timeMs: 1_795_413_600_000 })
  expect(parseRangeEdge('--from', '2026-11-23T07:00+01:00')).toEqual({ timeMs: 1_795_413_600_000 })
  expect(parseRangeEdge('--until', 'sensor-data:0=12,device-events:2=0')).toEqual({
    offsets: new Map([
      ['sensor-data:0', 12],
      ['device-events:2', 0],
    ]),
  })
})

test.each([
  'yesterday',
  '2026-11-23T06:00:00',
  '2026-11-23',
  '2026-13-23T06:00:00Z',
  'sensor-data=3',
  'sensor-data:0=',
  'a:0=1,a:0=2',
  'a:0=1,',
])('parseRangeEdge() refuses %s, naming the flag', (text) => {
  const parse = (): unknown => parseRangeEdge('--until', text)
  expect(parse).toThrow(ConfigurationError)
  expect(parse).toThrow(/--until/)
})

test('offsetsText() is what the host takes; recordCountMaxOf() the offsets between', () => {
  const ranges = [
    { topic: 'sensor-data', partition: 0, from: 3, until: 10 },
    { topic: 'sensor-data', partition: 1, from: 5, until: 5 },
  ]
  expect(offsetsText(ranges, 'from')).toBe('sensor-data:0=3,sensor-data:1=5')
  expect(offsetsText(ranges, 'until')).toBe('sensor-data:0=10,sensor-data:1=5')
  expect(recordCountMaxOf(ranges)).toBe(7)
})
