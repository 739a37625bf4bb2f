import type { CaseView } from '@millwright/core'
import { expect, test } from 'vitest'
import { type ReadSlowly, readCaseMessages, readCaseWindows } from './case-topics.ts'

const caseId = 'press-1@1767571500000'

function topicOf(values: readonly string[]): ReadSlowly {
  return async (_of, visit) => {
    for (const [index, value] of values.entries())
      visit({ key: 'press-1', appendTimeMs: 1_767_571_500_000 + index, value: Buffer.from(value) })
    return false
  }
}

function signal(windowEnd: number): string {
  return JSON.stringify({
    deviceId: 'press-1',
    windowStart: windowEnd - 300_000,
    windowEnd,
    revision: 0,
    model: { name: 'press', version: '1' },
    probability: 0.9,
    status: 'High risk of failure',
    features: {},
  })
}

const garbage = ['', '{"deviceId":', 'null', '7', '[]', '{}', '{"windowEnd":"soon","probability":2}']

test('messages of a case are read past what is none', async () => {
  const messages = [0, 1].map((sequence) => JSON.stringify({ caseId, sequence }))
  const read = topicOf([...garbage, messages[0] as string, ...garbage, messages[1] as string])
  expect(await readCaseMessages(read, caseId)).toEqual({
    messages: [
      { caseId, sequence: 0 },
      { caseId, sequence: 1 },
    ],
    isCut: false,
  })
})

test('windows of a case are read past what is none', async () => {
  const of = { deviceId: 'press-1', openedAt: 1_767_571_500_000, resolvedAt: null } as CaseView
  const { windows } = await readCaseWindows(topicOf([...garbage, signal(1_767_571_500_000), ...garbage]), of, 0)
  expect(windows).toEqual([{ windowEnd: 1_767_571_500_000, probability: 0.9, high: true }])
})
