import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AbortedTransaction, committedRecords, type LogBatch } from './committed-records.ts'

const transactional = 0x10
const control = 0x20
const appendTime = 0x08

function data(first: number, count: number, attributes: number, producerId: bigint): LogBatch {
  return {
    firstOffset: BigInt(first),
    lastOffsetDelta: count - 1,
    attributes,
    firstTimestamp: 1000n,
    maxTimestamp: 2000n,
    producerId,
    records: Array.from({ length: count }, (_, index) => ({
      offsetDelta: index,
      timestampDelta: BigInt(index),
      key: Buffer.from('k'),
      value: Buffer.from(String(first + index)),
      headers: [],
    })),
  }
}

function marker(at: number, producerId: bigint, kind: 'abort' | 'commit'): LogBatch {
  const key = Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1])
  return {
    ...data(at, 1, control | transactional, producerId),
    records: [{ offsetDelta: 0, timestampDelta: 0n, key, value: Buffer.alloc(6), headers: [] }],
  }
}

test('committedRecords() leaves out what was taken back, up to its marker and no further (C1, C2)', () => {
  const batches = [
    data(0, 2, transactional, 7n),
    data(2, 2, transactional, 8n),
    marker(4, 7n, 'abort'),
    data(5, 1, transactional, 7n),
    marker(6, 7n, 'commit'),
    marker(7, 8n, 'commit'),
    data(8, 1, 0, -1n),
  ]
  const { records, next } = committedRecords(3, 0, batches, [{ producerId: 7n, firstOffset: 0n }])
  expect(records.map(({ offset }) => offset)).toEqual([2, 3, 5, 8])
  expect(records.every(({ partition }) => partition === 3)).toBe(true)
  expect(next).toBe(9)
})

test('committedRecords() leaves out records before the place, and goes past what compaction took (C2, C3)', () => {
  const compacted: LogBatch = { ...data(10, 5, 0, -1n), records: data(10, 5, 0, -1n).records.slice(3, 4) }
  const { records, next } = committedRecords(0, 12, [compacted], [])
  expect(records.map(({ offset }) => offset)).toEqual([13])
  expect(next).toBe(15)
  expect(committedRecords(0, 12, [], []).next).toBe(12)
})

test('committedRecords() gives append time where the log has it, else the time of the producer', () => {
  expect(committedRecords(0, 1, [data(0, 2, appendTime, -1n)], []).records[0]?.appendTimeMs).toBe(2000)
  expect(committedRecords(0, 1, [data(0, 2, 0, -1n)], []).records[0]?.appendTimeMs).toBe(1001)
})

test('committedRecords() reads the time of the cause from its header, and takes no other for it', () => {
  const time = Buffer.alloc(8)
  time.writeBigInt64BE(1_766_000_000_000n)
  const headers = [
    [Buffer.from('trace'), time],
    [Buffer.from('cause-time'), Buffer.from('12')],
    [Buffer.from('cause-time'), time],
  ] as const
  const [record] = data(0, 1, appendTime, -1n).records
  const batch = { ...data(0, 1, appendTime, -1n), records: [{ ...record, headers } as LogBatch['records'][number]] }
  expect(committedRecords(0, 0, [batch], []).records[0]?.causeTimeMs).toBe(1_766_000_000_000)
  expect(committedRecords(0, 0, [data(0, 1, appendTime, -1n)], []).records[0]?.causeTimeMs).toBeNull()
})

test('committedRecords() gives the same records however a log of transactions is cut into fetches', () => {
  const steps = fc.array(
    fc.record({
      producer: fc.nat(2),
      count: fc.integer({ min: 1, max: 3 }),
      end: fc.constantFrom('no', 'abort', 'commit'),
    }),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(steps, fc.nat(40), (drawn, place) => {
      const batches: LogBatch[] = []
      const aborted: (AbortedTransaction & { readonly lastOffset: number })[] = []
      const open = new Map<number, number[]>()
      const taken = new Set<number>()
      let offset = 0
      const end = (producer: number, kind: 'abort' | 'commit'): void => {
        const offsets = open.get(producer)
        if (offsets === undefined) return
        if (kind === 'commit') for (const each of offsets) taken.add(each)
        else
          aborted.push({ producerId: BigInt(producer), firstOffset: BigInt(offsets[0] as number), lastOffset: offset })
        batches.push(marker(offset++, BigInt(producer), kind))
        open.delete(producer)
      }
      for (const { producer, count, end: kind } of drawn) {
        batches.push(data(offset, count, transactional, BigInt(producer)))
        open.set(producer, [
          ...(open.get(producer) ?? []),
          ...Array.from({ length: count }, (_, index) => offset + index),
        ])
        offset += count
        if (kind !== 'no') end(producer, kind as 'abort' | 'commit')
      }
      // A fetch of committed records ends before what is open: here all is decided.
      for (const producer of [...open.keys()]) end(producer, 'abort')
      const cut = Math.min(place, batches.length)
      const found: number[] = []
      let from = 0
      for (const part of [batches.slice(0, cut), batches.slice(cut)]) {
        const last = part.at(-1)
        if (last === undefined) continue
        const lastOffset = Number(last.firstOffset) + last.lastOffsetDelta
        // A broker names those that overlap what it gives.
        const overlapping = aborted.filter((each) => each.firstOffset <= BigInt(lastOffset) && each.lastOffset >= from)
        const { records, next } = committedRecords(0, from, part, overlapping)
        found.push(...records.map((record) => record.offset))
        from = next
      }
      expect(found).toEqual([...taken].sort((a, b) => a - b))
    }),
  )
})
