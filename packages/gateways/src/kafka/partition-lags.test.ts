/**
 * Against partitions as drawn: records that are committed, taken back or not decided yet, and the ends of transactions between them. What
 * waits is counted over the whole partition.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { laneOf } from './operator-progress.ts'
import { type LagPort, partitionLags } from './partition-lags.ts'
import type { KafkaRecord } from './record.ts'

/** What stands at an offset; `gone`: retention took it. */
type Slot = 'record' | 'taken-back' | 'end-of-transaction' | 'gone'

const place = { topic: 'sensor-data', partition: 0 }

function portOf(slots: readonly Slot[], left: number, batchSlotsMax = 3): LagPort & { readonly fetches: number } {
  const begin = slots.lastIndexOf('gone') + 1
  const port = {
    fetches: 0,
    topics: [{ topic: place.topic, partitionCount: 1 }],
    committedEnd: async () => slots.length,
    placesOf: async () => [left],
    async fetch({ from }: { readonly from: number }) {
      port.fetches += 1
      if (from < begin) return { records: [], next: begin, isOutOfRange: true }
      const next = Math.min(slots.length, from + batchSlotsMax)
      const offsets = Array.from({ length: next - from }, (_, index) => from + index)
      const records = offsets.filter((offset) => slots[offset] === 'record').map(recordAt)
      return { records, next, isOutOfRange: false }
    },
  }
  return port
}

function recordAt(offset: number): KafkaRecord {
  return { partition: 0, offset, appendTimeMs: 0, causeTimeMs: null, key: null, value: new Uint8Array() }
}

const slotsOf = fc
  .tuple(
    fc.nat(3),
    fc.array(fc.constantFrom<Slot>('record', 'taken-back', 'end-of-transaction'), { minLength: 1, maxLength: 20 }),
  )
  .map(([gone, rest]): Slot[] => [...new Array<Slot>(gone).fill('gone'), ...rest])

test('partitionLags() counts from the first record that is not read: 0 where only ends of transactions come', async () => {
  await fc.assert(
    fc.asyncProperty(slotsOf, fc.nat(20), async (slots, read) => {
      const next = Math.min(read, slots.length)
      const firstUnread = slots.findIndex((slot, offset) => offset >= next && slot === 'record')
      const wanted = firstUnread < 0 ? 0 : slots.length - firstUnread
      const port = portOf(slots, -1)
      expect(await partitionLags(port, null, new Map([[laneOf(place), next]]))).toEqual([
        { ...place, endOffset: slots.length, lag: wanted },
      ])
      expect(port.fetches).toBeLessThanOrEqual(slots.length + 1)
    }),
  )
})

test('partitionLags() takes the reader at its word, else the place of its group, else says that it does not know', async () => {
  const slots: Slot[] = ['record', 'record', 'record', 'record']
  const lag = async (group: string | null, left: number, next?: number): Promise<number | null | undefined> =>
    (await partitionLags(portOf(slots, left), group, new Map(next === undefined ? [] : [[laneOf(place), next]])))[0]
      ?.lag
  expect(await lag('millwright', 1, 3)).toBe(1)
  expect(await lag('millwright', 1)).toBe(3)
  expect(await lag('millwright', -1)).toBeNull()
  expect(await lag(null, 1)).toBeNull()
})

test('partitionLags() is 0 of an empty partition that nobody has read, and of one read beyond the end that was asked for', async () => {
  expect((await partitionLags(portOf([], -1), 'millwright', new Map()))[0]?.lag).toBe(0)
  expect((await partitionLags(portOf(['record'], -1), null, new Map([[laneOf(place), 5]])))[0]?.lag).toBe(0)
})

test('partitionLags() ends where a fetch gives nothing and goes no further', async () => {
  const port: LagPort = {
    ...portOf(['record', 'record'], -1),
    fetch: async ({ from }) => ({ records: [], next: from, isOutOfRange: true }),
  }
  expect((await partitionLags(port, null, new Map([[laneOf(place), 1]])))[0]?.lag).toBe(1)
})
