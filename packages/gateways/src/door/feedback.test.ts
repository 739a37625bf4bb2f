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
const bytesOf = (...lines: readonly (string | Uint8Array)[]): Uint8Array =>
  Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]))

test('admitFeedback() keeps a verdict as it came, its notes too, under its device', () => {
  const line = JSON.stringify(verdict)
  expect(admitFeedback(bytesOf('', `${line}\r`))).toEqual({
    accepted: [{ deviceId: 'press-07', line }],
    refused: [],
    refusals: [],
  })
})

test('admitFeedback() makes a dead letter of each record that is none, and tells its line', () => {
  const wrong = JSON.stringify({ ...verdict, verdict: 'perhaps' })
  const admission = admitFeedback(bytesOf(wrong, '{', new Uint8Array([0xff]), JSON.stringify(verdict)), 11)
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
