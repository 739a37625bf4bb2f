import { partitionOf } from '@millwright/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineRecords } from './line-records.ts'

const shown = (lines: string, partition: number, partitionCount: number) =>
  lineRecords(Buffer.from(lines), partition, partitionCount).map(({ key, value }) => [
    key === null ? null : Buffer.from(key).toString(),
    Buffer.from(value).toString(),
  ])

test('lineRecords() makes a record of each line, with its device as key', () => {
  expect(shown('{"deviceId":"a","timestamp":1}\n{"deviceId":"a","deviceId":"b"}\n', 0, 1)).toEqual([
    ['a', '{"deviceId":"a","timestamp":1}'],
    ['b', '{"deviceId":"a","deviceId":"b"}'],
  ])
})

test('lineRecords() gives no key to what names no device, and to what is not in the partition of its device', () => {
  for (const line of ['no json', '[]', 'null', '{"deviceId":7}', '{"deviceId":""}', '{"deviceId":"\\ud800"}', '{}'])
    expect(shown(`${line}\n`, 0, 1)).toEqual([[null, line]])
  const other = 1 - partitionOf('a', 2)
  expect(shown('{"deviceId":"a"}\n', other, 2)[0]?.[0]).toBeNull()
})

test('lineRecords() never gives a key whose partition is another', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.integer({ min: 1, max: 64 }), (deviceId, count) => {
      const line = JSON.stringify({ deviceId })
      for (let partition = 0; partition < count; partition++) {
        const [[key] = []] = shown(`${line}\n`, partition, count)
        expect(key).toBe(partitionOf(deviceId, count) === partition ? deviceId : null)
      }
    }),
    { numRuns: 50 },
  )
})
