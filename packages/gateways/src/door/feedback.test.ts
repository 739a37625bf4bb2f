import type { DeadLetter } from '@millwright/core'
import { expect, test } from 'vitest'
import { admitFeedback } from './feedback.ts'

const verdict = {
  id: 'case-17',
  revision: 0,
  deviceId: 'press-07',
  verdict: 'false-alarm',
  from: 1_766_000_000_000,
  to: 1_766_003_600_000,
  recordedAt: 1_766_090_000_000,
  note: 'a loose cable',
}
/** When somebody reads them. */
const untilMs = verdict.recordedAt
const bytesOf = (...lines: readonly (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]))

test('admitFeedback() keeps a verdict as it came, its notes too, under its device', () => {
  const line = JSON.stringify(verdict)
  expect(admitFeedback(bytesOf('', `${line}\r`), untilMs)).toEqual({
    accepted: [{ deviceId: 'press-07', line }],
    refused: [],
    refusals: [],
  })
})

test('admitFeedback() makes a dead letter of each record that is none, and tells its line', () => {
  const wrong = JSON.stringify({ ...verdict, verdict: 'perhaps' })
  const admission = admitFeedback(bytesOf(wrong, '{', new Uint8Array([0xff]), JSON.stringify(verdict)), untilMs, 11)
  expect(admission.accepted).toHaveLength(1)
  expect(admission.refusals.map(({ line, reason }) => [line, reason])).toEqual([
    [11, 'feedback-verdict'],
    [12, 'feedback-not-json'],
    [13, 'not-utf8'],
  ])
  const letters = admission.refused.map(({ line }) => JSON.parse(line) as DeadLetter)
  expect(letters.map(({ topic, bytes, encoding }) => [topic, bytes, encoding])).toEqual([
    ['maintenance-feedback', wrong, 'utf-8'],
    ['maintenance-feedback', '{', 'utf-8'],
    ['maintenance-feedback', '/w==', 'base64'],
  ])
  expect(letters[0]?.message).toBe(admission.refusals[0]?.message)
})

test('admitFeedback() refuses a failure, and a span, that has not come yet, and takes one of this moment', () => {
  const confirmed = { ...verdict, verdict: 'failure-confirmed' }
  const records = [
    { ...confirmed, to: untilMs, failureAt: untilMs },
    { ...confirmed, failureAt: untilMs + 1 },
    { ...confirmed, to: untilMs + 1 },
  ]
  const admission = admitFeedback(bytesOf(...records.map((record) => JSON.stringify(record))), untilMs)
  expect(admission.accepted.map(({ line }) => JSON.parse(line))).toEqual([records[0]])
  const message = (field: string): string =>
    `${field}: found 1766090000001 (2025-12-18T20:33:20.001Z), wanted a time that has been, 2025-12-18T20:33:20.000Z at the latest`
  expect(admission.refusals).toEqual([
    { line: 2, reason: 'feedback-failure-at', message: message('failureAt') },
    { line: 3, reason: 'feedback-span', message: message('to') },
  ])
  expect(admission.refused).toHaveLength(2)
})
