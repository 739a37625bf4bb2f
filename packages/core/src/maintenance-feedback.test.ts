import { expect, test } from 'vitest'
import { readMaintenanceFeedback } from './maintenance-feedback.ts'
import { feedbackProblems } from './records.ts'

const good = {
  id: 'case-17',
  revision: 0,
  deviceId: 'press-07',
  verdict: 'failure-confirmed',
  from: 1_766_000_000_000,
  to: 1_766_003_600_000,
  failureAt: 1_766_003_000_000,
  recordedAt: 1_766_090_000_000,
  model: { name: 'failure', version: '1' },
}

test('readMaintenanceFeedback() takes what the format page shows, and passes over what it does not know', () => {
  expect(readMaintenanceFeedback(JSON.stringify({ ...good, note: 'bearing', by: 'Ann' }))).toEqual({
    kind: 'feedback',
    feedback: good,
  })
  const { failureAt, model, ...least } = good
  expect(readMaintenanceFeedback(JSON.stringify(least))).toEqual({
    kind: 'feedback',
    feedback: { ...least, failureAt: null, model: null },
  })
})

const refusals: readonly [string, string, string][] = [
  ['feedback-too-long', JSON.stringify({ ...good, note: 'x'.repeat(70_000) }), 'wanted at most 65536 bytes'],
  ['feedback-not-json', '{', 'wanted JSON'],
  ['feedback-not-an-object', '[]', 'found [], wanted an object'],
  ['feedback-not-an-object', '['.repeat(32_000) + ']'.repeat(32_000), 'found a value more than 64 deep'],
  ['feedback-id', JSON.stringify({ ...good, id: '' }), 'id: found "", wanted 1 to 512 bytes'],
  ['feedback-id', JSON.stringify({ ...good, id: 'a\nb' }), 'without control characters'],
  ['feedback-revision', JSON.stringify({ ...good, revision: 0.5 }), 'revision: found 0.5'],
  ['feedback-device-id', JSON.stringify({ ...good, deviceId: 7 }), 'deviceId: found 7'],
  [
    'feedback-verdict',
    JSON.stringify({ ...good, verdict: 'maybe' }),
    'verdict: found "maybe", wanted failure-confirmed',
  ],
  ['feedback-time', JSON.stringify({ ...good, from: undefined }), 'from: found nothing, wanted epoch milliseconds'],
  ['feedback-time', JSON.stringify({ ...good, recordedAt: '2026' }), 'recordedAt: found "2026"'],
  ['feedback-span', JSON.stringify({ ...good, to: good.from }), 'wanted a time after "from"'],
  ['feedback-span', JSON.stringify({ ...good, recordedAt: good.from - 1 }), 'recordedAt: found 1765999999999'],
  [
    'feedback-failure-at',
    JSON.stringify({ ...good, verdict: 'unclear' }),
    'wanted nothing where the verdict is unclear',
  ],
  ['feedback-failure-at', JSON.stringify({ ...good, failureAt: good.from }), 'failureAt: found 1766000000000'],
  [
    'feedback-model',
    JSON.stringify({ ...good, model: { name: 'failure' } }),
    'wanted an object with a name and a version',
  ],
]

test.each(refusals)('readMaintenanceFeedback() refuses with %s: %#', (reason, text, message) => {
  const result = readMaintenanceFeedback(text)
  expect(result).toMatchObject({ kind: 'refused', reason })
  if (result.kind === 'refused') expect(result.message).toContain(message)
})

test('each reason of refusal has a test', () => {
  expect([...new Set(refusals.map(([reason]) => reason))]).toEqual([...feedbackProblems])
})
