/**
 * Against a topic of a few lines, in which a transaction is there or not, as drawn: whatever fails and however far back the fold begins
 * anew, each message is there once and in order.
 */
import { type CaseLine, partitionOf } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CaseMark, caseTransaction, firstMark, isAfter, markIn, markOf, messagesAfter } from './case-mark.ts'
import type { PartitionRecords } from './transaction-writer.ts'

const partitionCounts = { cases: 3, feedback: 2 }

/** Messages in the order of their marks: several may have one cause. */
const folds = fc
  .array(fc.record({ laterMs: fc.nat(2), device: fc.nat(5), hasVerdict: fc.boolean() }), { maxLength: 30 })
  .map((drawn) => {
    let last: CaseMark = { timeMs: 1000, index: -1 }
    return drawn.map(({ laterMs, device, hasVerdict }, n): CaseLine => {
      last = laterMs === 0 ? { ...last, index: last.index + 1 } : { timeMs: last.timeMs + laterMs, index: 0 }
      const deviceId = `press-${device}`
      const feedback = hasVerdict ? { deviceId, line: `verdict ${n}` } : null
      return { deviceId, line: `message ${n}`, causedAtMs: last.timeMs, index: last.index, feedback }
    })
  })

test('each message and verdict is written once, over transactions that are lost and folds that begin anew (L1, L2)', () => {
  const turn = fc.record({ from: fc.nat(30), count: fc.nat(12), isDecided: fc.boolean() })
  fc.assert(
    fc.property(folds, fc.array(turn, { maxLength: 20 }), (fold, turns) => {
      const written: string[] = []
      let mark = firstMark
      const write = (messages: readonly CaseLine[], isDecided: boolean): void => {
        const missing = messagesAfter(messages, mark)
        const last = missing.at(-1)
        if (last === undefined || !isDecided) return
        const parts = caseTransaction(missing, markOf(last), partitionCounts)
        written.push(...textsOf(parts, 'cases'), ...textsOf(parts, 'maintenance-feedback'))
        mark = markOfTransaction(parts)
      }
      let reached = 0
      for (const { from, count, isDecided } of turns) {
        // A watcher goes on only after what it sent was written, and begins anew at or before that.
        const begin = Math.min(from, reached)
        write(fold.slice(begin, begin + count), isDecided)
        if (isDecided) reached = Math.max(reached, Math.min(fold.length, begin + count))
      }
      write(fold, true)
      const verdicts = fold.flatMap(({ feedback }) => (feedback === null ? [] : [feedback.line]))
      expect(written.toSorted()).toEqual([...fold.map(({ line }) => line), ...verdicts].toSorted())
    }),
  )
})

describe('caseTransaction()', () => {
  test("has every message on its device's partition in order, and the mark of the last in the same transaction", () => {
    fc.assert(
      fc.property(folds, (fold) => {
        const last = fold.at(-1)
        fc.pre(last !== undefined)
        const parts = caseTransaction(fold, markOf(last as CaseLine), partitionCounts)
        for (const [topic, count] of [
          ['cases', partitionCounts.cases],
          ['maintenance-feedback', partitionCounts.feedback],
        ] as const)
          for (const { partition, records } of parts.filter((part) => part.topic === topic)) {
            const devices = records.map(({ key }) => Buffer.from(key ?? []).toString())
            expect(devices.every((device) => partitionOf(device, count) === partition)).toBe(true)
            const numbers = records.map(({ value }) => Number(Buffer.from(value).toString().split(' ')[1]))
            expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
          }
        expect(markOfTransaction(parts)).toEqual(markOf(last as CaseLine))
      }),
    )
  })
})

test('markIn() knows its own record, and neither the place of a file nor one that was removed', () => {
  const value = Buffer.from('{"timeMs":7,"index":1}')
  expect(markIn({ key: 'millwright-cases', value })).toEqual({ timeMs: 7, index: 1 })
  expect(markIn({ key: 'file:january.csv', value: Buffer.from('{"position":7}') })).toBeNull()
  expect(markIn({ key: 'millwright-cases', value: new Uint8Array(0) })).toBeNull()
  expect(markIn({ key: null, value })).toBeNull()
})

test('isAfter() goes by time, then by the number among messages of one time; every mark is after the first', () => {
  expect(isAfter({ timeMs: 7, index: 0 }, { timeMs: 6, index: 9 })).toBe(true)
  expect(isAfter({ timeMs: 7, index: 1 }, { timeMs: 7, index: 0 })).toBe(true)
  expect(isAfter({ timeMs: 7, index: 0 }, { timeMs: 7, index: 0 })).toBe(false)
  expect(isAfter({ timeMs: 0, index: 0 }, firstMark)).toBe(true)
})

function textsOf(parts: readonly PartitionRecords[], topic: string): string[] {
  return parts
    .filter((part) => part.topic === topic)
    .flatMap(({ records }) => records.map(({ value }) => Buffer.from(value).toString()))
}

/** As whoever reads the topic of positions finds it. */
function markOfTransaction(parts: readonly PartitionRecords[]): CaseMark {
  const marks = parts
    .filter(({ topic }) => topic === 'ingest-positions')
    .flatMap(({ records }) =>
      records.map(({ key, value }) => markIn({ key: Buffer.from(key ?? []).toString(), value })),
    )
  expect(marks).toHaveLength(1)
  return marks[0] as CaseMark
}
