/** Method: one rule of the filter after the other, by cases that differ in what the rule looks at. */
import type { NotifyChannelBase } from '@millwright/core'
import { expect, test } from 'vitest'
import { channelFilter } from './channel-filter.ts'
import { notificationOf, startMs } from './testing/cases.ts'

const hourMs = 3_600_000
const all = {
  on: ['opened', 'escalated', 'cleared', 'resolved'],
  minSeverity: 'warning',
  devices: ['*'],
  maxAgeMs: 24 * hourMs,
  since: 'now',
} as const

function relevance(fields: Readonly<Record<string, unknown>>, channel: Partial<NotifyChannelBase> = {}): string {
  return channelFilter({ ...all, ...channel })(notificationOf(fields))
}

test('channelFilter() takes the changes, severities and machines of the channel', () => {
  expect(relevance({})).toBe('wanted')
  expect(relevance({ change: 'commented' })).toBe('other')
  expect(relevance({ severity: 'major' }, { minSeverity: 'major' })).toBe('wanted')
  expect(relevance({ severity: 'minor' }, { minSeverity: 'major' })).toBe('other')
  expect(relevance({ severity: 'of a newer release' }, { minSeverity: 'critical' })).toBe('wanted')
  for (const [devices, wanted] of [
    [['press-07'], 'wanted'],
    [['press-*'], 'wanted'],
    [['*-0*'], 'wanted'],
    [['lathe-*', '*7'], 'wanted'],
    [['press'], 'other'],
    [['press.07'], 'other'],
    [['Press-*'], 'other'],
  ] as const)
    expect(relevance({}, { devices })).toBe(wanted)
})

test('channelFilter() takes what windows of long ago raise for history, whenever they are read in', () => {
  const ago = (ageMs: number) => {
    const windowEnd = startMs - ageMs
    return { caseId: `press-07@${windowEnd}`, windowEnd, openedAt: startMs }
  }
  expect(relevance(ago(23 * hourMs))).toBe('wanted')
  expect(relevance(ago(25 * hourMs))).toBe('history')
  expect(relevance(ago(25 * hourMs), { maxAgeMs: 48 * hourMs })).toBe('wanted')
})

test('channelFilter() tells of a case that began as news to its end, and of one that began as history from its first new window', () => {
  const dayLater = startMs + 30 * hourMs
  expect(relevance({ change: 'cleared', at: dayLater })).toBe('wanted')
  const began = startMs - 50 * hourMs
  const history = { caseId: `press-07@${began}`, openedAt: startMs, at: dayLater }
  expect(relevance({ ...history, change: 'cleared', windowEnd: began })).toBe('history')
  expect(relevance({ ...history, change: 'escalated', windowEnd: dayLater - 1000 })).toBe('wanted')
})

test('channelFilter() takes nothing that a person does for history', () => {
  const began = startMs - 500 * hourMs
  const history = { caseId: `press-07@${began}`, openedAt: startMs, windowEnd: began }
  expect(relevance({ ...history, change: 'resolved', by: 'Jo' })).toBe('wanted')
  expect(relevance({ ...history, change: 'resolved', by: null })).toBe('wanted')
})

test('channelFilter() leaves out what was before the time that a channel begins with', () => {
  const since = new Date(startMs + 1000).toISOString()
  expect(relevance({}, { since })).toBe('history')
  expect(relevance({ at: startMs + 1000 }, { since })).toBe('wanted')
})
