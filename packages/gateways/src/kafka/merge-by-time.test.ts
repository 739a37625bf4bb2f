import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeByTime } from './merge-by-time.ts'
import type { KafkaRecord } from './record.ts'

async function* records(partition: number, times: readonly number[]): AsyncGenerator<KafkaRecord> {
  for (const [offset, appendTimeMs] of times.entries())
    yield { partition, offset, appendTimeMs, causeTimeMs: null, key: null, value: new Uint8Array(0) }
}

test('mergeByTime() gives every record once, each partition in its order, and all by time where partitions are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(20)), { maxLength: 4 }), async (partitions) => {
      const sorted = partitions.map((times) => times.toSorted((a, b) => a - b))
      const merged: KafkaRecord[] = []
      for await (const record of mergeByTime(sorted.map((times, partition) => records(partition, times))))
        merged.push(record)
      expect(merged.map(({ appendTimeMs }) => appendTimeMs)).toEqual(sorted.flat().sort((a, b) => a - b))
      for (const [partition, times] of sorted.entries())
        expect(merged.filter((record) => record.partition === partition).map(({ offset }) => offset)).toEqual([
          ...times.keys(),
        ])
    }),
  )
})

test('mergeByTime() ends its partitions when its reader stops', async () => {
  let ended = 0
  async function* endless(): AsyncGenerator<KafkaRecord> {
    try {
      for (let offset = 0; ; offset++)
        yield { partition: 0, offset, appendTimeMs: offset, causeTimeMs: null, key: null, value: new Uint8Array(0) }
    } finally {
      ended += 1
    }
  }
  for await (const _ of mergeByTime([endless(), endless()])) break
  expect(ended).toBe(2)
})
