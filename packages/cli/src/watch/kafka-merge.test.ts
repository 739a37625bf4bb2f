/**
 * Method: a made job writes messages of numbered causes to lanes, by several subtasks, each in transactions of its own that end in any
 * order after each checkpoint; a reader takes what it may, at any moment, and over restarts. What it took must be what one takes who reads it all at the end.
 */
import type { KafkaRecord } from '@millwright/gateways/kafka'
import { type WatchedRecord, watchedTopics } from '@millwright/monitoring'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FetchLane, type KafkaCut, KafkaMerge, type KafkaPositions } from './kafka-merge.ts'

const partitionCount = 2
const subtaskCount = 3
const topics = watchedTopics.map((topic) => ({ topic, partitionCount }))

interface Written {
  readonly causeTimeMs: number
  /** Long after every cause where it is not said. */
  readonly appendTimeMs?: number
  readonly value: string
  /** `null` for a marker, or what was taken back: it takes an offset, and nobody sees it. */
  transaction: { isOpen: boolean } | null
}

/** Lanes as brokers hold them: what stands before the first record of an open transaction may be read. */
class Lanes {
  readonly logs = new Map<string, Written[]>()

  log(name: string): Written[] {
    const log = this.logs.get(name) ?? []
    this.logs.set(name, log)
    return log
  }

  readonly fetch: FetchLane = async ({ topic, partition, from }) => {
    const log = this.log(`${topic}/${partition}`)
    const open = log.findIndex(({ transaction }) => transaction?.isOpen)
    const next = Math.max(from, Math.min(open < 0 ? log.length : open, from + 3))
    const records = log.slice(from, next).flatMap((written, index): KafkaRecord[] => {
      const { transaction, appendTimeMs = 9e9, causeTimeMs, value } = written
      if (transaction === null) return []
      const bytes = new TextEncoder().encode(value)
      return [{ partition, offset: from + index, appendTimeMs, causeTimeMs, key: null, value: bytes }]
    })
    return { records, next, isOutOfRange: false }
  }

  cut(beforeMs: number): KafkaCut {
    return { beforeMs, endOffsets: new Map([...this.logs].map(([name, log]) => [name, log.length])) }
  }
}

interface Step {
  /** Messages of one cause: which topics, by which subtask; how much later than the last cause. */
  readonly outputs: readonly number[]
  readonly subtask: number
  readonly partition: number
  readonly laterMs: number
  /** After it: whether a checkpoint is made, which transactions end, how many records the reader takes (0: none), whether it is restarted. */
  readonly checkpoint: boolean
  readonly ends: number
  readonly takes: number
  readonly restarts: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  outputs: fc.array(fc.nat(watchedTopics.length - 1), { maxLength: 3 }),
  subtask: fc.nat(subtaskCount - 1),
  partition: fc.nat(partitionCount - 1),
  laterMs: fc.nat(2),
  checkpoint: fc.boolean(),
  ends: fc.nat(7),
  takes: fc.nat(6),
  restarts: fc.boolean(),
})

test('what is taken beside a job, at any moment and over restarts, is what is taken when it has stopped (M1, M2)', async () => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const lanes = new Lanes()
      for (const { topic } of topics)
        for (let partition = 0; partition < partitionCount; partition++) lanes.log(`${topic}/${partition}`)
      const seen: string[] = []
      const see = (record: WatchedRecord): void => void seen.push(JSON.stringify(record))
      let merge = new KafkaMerge(topics, lanes.fetch)
      let cut: KafkaCut | null = null
      let nowMs = 1000
      let current = Array.from({ length: subtaskCount }, () => ({ isOpen: true }))
      // What a checkpoint has made valid and is not committed yet.
      let valid: { isOpen: boolean }[] = []
      /** What a subtask has made and not written yet: others may be before it. */
      const unwritten: (() => void)[] = []
      for (const { outputs, subtask, partition, laterMs, checkpoint, ends, takes, restarts } of steps) {
        nowMs += laterMs
        for (const index of outputs) {
          const [causeTimeMs, name] = [nowMs, `${watchedTopics[index]}/${partition}`]
          const transaction = current[subtask] as { isOpen: boolean }
          const value = JSON.stringify([subtask, causeTimeMs, unwritten.length])
          unwritten.push(() => lanes.log(name).push({ causeTimeMs, value, transaction }))
        }
        if (ends % 2 === 1) for (const write of unwritten.splice(0).reverse()) write()
        if (checkpoint && valid.every(({ isOpen }) => !isOpen)) {
          for (const write of unwritten.splice(0)) write()
          valid = current
          current = current.map(() => ({ isOpen: true }))
          cut = lanes.cut(nowMs)
        }
        for (const [index, transaction] of valid.entries()) if ((ends >> index) % 2 === 1) transaction.isOpen = false
        if (cut !== null && takes > 0) await merge.take(cut, takes, see)
        if (!restarts) continue
        const positions: KafkaPositions = JSON.parse(JSON.stringify(merge.positions()))
        merge = new KafkaMerge(topics, lanes.fetch, positions)
      }
      for (const write of unwritten.splice(0)) write()
      for (const transaction of [...valid, ...current]) transaction.isOpen = false
      const [live, whole] = [seen.length, lanes.cut(Number.POSITIVE_INFINITY)]
      taken += live
      await merge.take(whole, 1e9, see)
      const stopped: string[] = []
      await new KafkaMerge(topics, lanes.fetch).take(whole, 1e9, (record) => void stopped.push(JSON.stringify(record)))
      expect(seen).toEqual(stopped)
      expect(stopped).toHaveLength([...lanes.logs.values()].flat().length)
      const times = stopped.map((line) => (JSON.parse(line) as WatchedRecord).appendTimeMs)
      expect(times).toEqual(times.toSorted((a, b) => a - b))
    }),
    { numRuns: 300 },
  )
  expect(taken).toBeGreaterThan(300)
})

test('a partition where nothing comes holds nothing back; one with an open transaction does, until that is decided (M2)', async () => {
  const lanes = new Lanes()
  const transaction = { isOpen: true }
  for (const causeTimeMs of [10, 20, 30])
    lanes.log('alert-signals/0').push({ causeTimeMs, value: `${causeTimeMs}`, transaction: { isOpen: false } })
  lanes.log('device-status/1').push({ causeTimeMs: 15, value: '15', transaction: { isOpen: false } })
  lanes.log('device-status/1').push({ causeTimeMs: 25, value: '25', transaction })
  const merge = new KafkaMerge(topics, lanes.fetch)
  const seen: string[] = []
  const take = () => merge.take(lanes.cut(30), 100, ({ text }) => void seen.push(text))
  expect(await take()).toBe(2)
  expect(seen).toEqual(['10', '15'])
  expect(merge.takenUpToMs).toBe(15)
  transaction.isOpen = false
  await take()
  expect(seen).toEqual(['10', '15', '20', '25'])
  expect(merge.takenUpToMs).toBe(30)
})

test('a record that says it was caused long after it was written has its own time, and holds nothing back (M1)', async () => {
  const lanes = new Lanes()
  const transaction = { isOpen: false }
  for (const [appendTimeMs, causeTimeMs] of [
    [100_000, 99_000],
    [101_000, 8e9],
    [102_000, 161_000],
    [103_000, 102_500],
  ] as const)
    lanes.log('alert-signals/0').push({ appendTimeMs, causeTimeMs, value: `${causeTimeMs}`, transaction })
  const merge = new KafkaMerge(topics, lanes.fetch)
  const taken: (readonly [string, number])[] = []
  await merge.take(lanes.cut(200_000), 10, ({ text, appendTimeMs }) => taken.push([text, appendTimeMs]))
  expect(taken).toEqual([
    ['99000', 99_000],
    ['8000000000', 101_000],
    ['161000', 161_000],
    ['102500', 161_000],
  ])
})

test('what was taken back and markers are gone past, also over a restart', async () => {
  const lanes = new Lanes()
  const log = lanes.log('alert-signals/0')
  log.push({ causeTimeMs: 10, value: 'a', transaction: { isOpen: false } })
  for (let n = 0; n < 20; n++) log.push({ causeTimeMs: 11, value: 'gone', transaction: null })
  const merge = new KafkaMerge(topics, lanes.fetch)
  expect(await merge.take(lanes.cut(100), 100, () => undefined)).toBe(1)
  expect(merge.positions()['alert-signals/0']).toEqual([21, 10])
})
