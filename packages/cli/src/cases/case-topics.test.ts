import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseView } from '@millwright/core'
import { openEngine } from '@millwright/engine'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { describe, expect, onTestFinished, test } from 'vitest'
import { buildOperator } from '../plant/build-operator.ts'
import { queryCases } from './case-mirror.ts'
import { caseListText } from './case-text.ts'
import { type ReadSlowly, readCaseMessages, readCases, readCaseWindows } from './case-topics.ts'

const openedAt = 1_767_571_500_000
const caseId = `press-1@${openedAt}`
const of = {
  ...{ deviceId: 'press-1', from: openedAt - 300_000, openedAt, resolvedAt: null },
  evidence: [{ windowEnd: openedAt, probability: 0.9 }],
} as unknown as CaseView

function topicOf(values: readonly string[]): ReadSlowly {
  return async (_of, visit) => {
    for (const [index, value] of values.entries())
      visit({ key: 'press-1', appendTimeMs: openedAt + index, value: Buffer.from(value) })
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
  const { windows } = await readCaseWindows(topicOf([...garbage, signal(openedAt), ...garbage]), of, 0)
  expect(windows).toEqual([{ windowEnd: openedAt, probability: 0.9, high: true }])
})

describe('of more windows than a chart has room for', () => {
  const secondsMs = 10_000
  /** Ends of windows of ten seconds, by their number from the one that opened the case. */
  const ends = (first: number, last: number): number[] =>
    Array.from({ length: last - first + 1 }, (_, i) => openedAt + (first + i) * secondsMs)
  const hoursMs = 6 * 3_600_000
  const shown = async (windowEnds: readonly number[]) => {
    const { windows, isCut } = await readCaseWindows(topicOf(windowEnds.map(signal)), of, hoursMs)
    return { isCut, ends: windows.map(({ windowEnd }) => windowEnd) }
  }

  test('those nearest to the one that opened the case are shown, it among them, and the first after it', async () => {
    expect(await shown(ends(-2000, 0))).toEqual({ isCut: true, ends: ends(-249, 0) })
    expect(await shown(ends(-2000, 1000))).toEqual({ isCut: true, ends: ends(-249, 250) })
    expect(await shown(ends(-9, 1000))).toEqual({ isCut: true, ends: ends(-9, 490) })
  })

  test('as many as there is room for are not cut', async () => {
    expect(await shown(ends(-249, 250))).toEqual({ isCut: false, ends: ends(-249, 250) })
  })

  test('windows of days before, which came in with the others, are passed over and cut nothing', async () => {
    const before = ends(-2000, -1).map((windowEnd) => windowEnd - 3 * 86_400_000)
    expect(await shown([...before, openedAt - hoursMs - 1, ...ends(-9, 9)])).toEqual({
      isCut: false,
      ends: ends(-9, 9),
    })
    expect((await shown([openedAt - hoursMs, openedAt])).ends).toEqual([openedAt - hoursMs, openedAt])
  })
})

test('of a plant that stands still the cases are those that it would remember when it last said something', async () => {
  const plan = definePlant({
    name: 'presses',
    channels: { vibration: { unit: 'mm/s' } },
    window: tumbling('5 min'),
    features: { vibration: mean('vibration') },
    partitions: 1,
  })
  const directory = mkdtempSync(join(tmpdir(), 'millwright-cases-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const engine = await openEngine({
    ...{ directory, partitionCount: 1, identity: 'cases', ticks: 'manual', clock: { nowMs: () => openedAt } },
    operators: {
      mode: 'inline',
      createOperator: (_partition, sink) => buildOperator(plan, sink),
      loadModel: () => null,
    },
    validateModel: () => ({ name: '', version: '', sha256: '' }),
    snapshotEveryMs: 1e9,
  })
  const days = (count: number): number => openedAt + count * 86_400_000
  const changes: readonly [id: string, at: number, resolved: boolean][] = [
    ['long-open', 0, false],
    ['long-resolved', 0, true],
    ['just-forgotten', days(30) - openedAt, true],
    ['just-remembered', days(30) - openedAt + 1, true],
    ['last', days(60) - openedAt, true],
  ]
  const lines = changes.map(([id, afterMs, resolved], index) => {
    const at = openedAt + afterMs
    const message = { caseId: `${id}@1`, at, status: resolved ? 'resolved' : 'open', resolvedAt: resolved ? at : null }
    return { deviceId: id, line: JSON.stringify(message), causedAtMs: openedAt, index, feedback: null }
  })
  await engine.appendCases(lines)
  await engine.close()
  const cases = readCases(directory)
  expect(cases.map(({ caseId }) => caseId)).toEqual(['long-open@1', 'just-remembered@1', 'last@1'])
  const none = { status: null, deviceId: 'nobody', severity: null, offset: 0, limit: 1 }
  expect(caseListText({ ...queryCases(cases, none), asOf: null, isBehind: false })).toBe(
    '1 open, 0 acknowledged, 2 resolved in the last 30 days',
  )
})
