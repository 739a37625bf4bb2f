import { limits } from '@millwright/core'
import { planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { DeviceEvents, eventsNotKnownUpTo } from './device-events.ts'

const plan = planOf({
  features: {
    since: { kind: 'hours-since', eventType: 'maintenance' },
    errors: { kind: 'count-of', eventType: 'error', hours: 1 },
  },
})
const max = limits.eventsPerDeviceMax

function add(events: DeviceEvents, type: string, timestampMs: number, usableAfterMs = -Infinity, digest = 0) {
  return events.add(0, events.typeIndex(type), { timestampMs, digest }, { usableAfterMs, redelivery: true })
}

describe('DeviceEvents', () => {
  test('keeps order of time whatever the order of arrival (E1)', () => {
    const events = new DeviceEvents(plan)
    for (const time of [30, 10, 20]) add(events, 'maintenance', time)
    expect(events.newestAt(0, events.typeIndex('maintenance'), 9)).toBeNaN()
    expect(events.newestAt(0, events.typeIndex('maintenance'), 29)).toBe(20)
    expect(events.newestAt(0, events.typeIndex('maintenance'), 30)).toBe(30)
    expect(events.countBetween(0, events.typeIndex('error'), 0, 100)).toBe(0)
  })

  test('drops the oldest at the bound, and says so (E2)', () => {
    const events = new DeviceEvents(plan)
    for (let i = 0; i < max; i++) expect(add(events, 'error', i)).toBe('kept')
    expect(add(events, 'error', max)).toBe('kept-oldest-dropped')
    expect(events.countBetween(0, events.typeIndex('error'), -1, max)).toBe(max)
    expect(events.newestAt(0, events.typeIndex('error'), 0)).toBeNaN()
  })

  test('drops what no window can use before what one can, and does not count it (E2)', () => {
    const events = new DeviceEvents(plan)
    const hourMs = 3_600_000
    // The oldest 100 are beyond an hour before every window to come; the 100th is the newest of them.
    for (let i = 0; i < 100; i++) add(events, 'error', i)
    for (let i = 0; i < max - 100; i++) add(events, 'error', 2 * hourMs + i)
    expect(add(events, 'error', 3 * hourMs, 2 * hourMs)).toBe('kept')
    expect(events.countBetween(0, events.typeIndex('error'), -1, 99)).toBe(0)
    expect(events.countBetween(0, events.typeIndex('error'), 99, 4 * hourMs)).toBe(max - 100 + 1)
  })

  test('keeps for hoursSince the newest event before every window to come', () => {
    const events = new DeviceEvents(plan)
    for (let i = 0; i < max; i++) add(events, 'maintenance', i)
    add(events, 'maintenance', 5000, 1e6)
    expect(events.newestAt(0, events.typeIndex('maintenance'), 4000)).toBeNaN()
    expect(events.newestAt(0, events.typeIndex('maintenance'), 6000)).toBe(5000)
    // With no useless one left even that goes, and is reported.
    for (let i = 0; i < max - 1; i++) add(events, 'maintenance', 1e7 + i)
    expect(add(events, 'maintenance', 2e7, 9e6)).toBe('kept-oldest-dropped')
    expect(events.newestAt(0, events.typeIndex('maintenance'), 9e6)).toBeNaN()
  })

  test('tells a redelivery by type, time and detail', () => {
    const events = new DeviceEvents(plan)
    expect(add(events, 'error', 10, 0, 1)).toBe('kept')
    expect(add(events, 'error', 10, 0, 2)).toBe('kept')
    expect(add(events, 'maintenance', 10, 0, 1)).toBe('kept')
    expect(add(events, 'error', 10, 0, 1)).toBe('redelivered')
    expect(add(events, 'audit', 10)).toBe('unused')
  })

  test('counts an event that may have come for one where that is asked (E3)', () => {
    const events = new DeviceEvents(plan)
    const type = events.typeIndex('maintenance')
    expect(events.latestPossibleAt(0, type, 100)).toBe(Number.NEGATIVE_INFINITY)
    events.setLists(0, [{ times: [], digests: [] }, eventsNotKnownUpTo(50)])
    expect(type).toBe(1)
    expect(events.latestPossibleAt(0, type, 20)).toBe(20)
    expect(events.latestPossibleAt(0, type, 100)).toBe(50)
    add(events, 'maintenance', 70)
    add(events, 'maintenance', 30)
    expect(events.latestPossibleAt(0, type, 100)).toBe(70)
    expect(events.latestPossibleAt(0, type, 60)).toBe(50)
    expect(events.someBetween(0, type, 29, 31, (timeMs) => timeMs === 30)).toBe(true)
    expect(events.someBetween(0, type, 30, 70, () => true)).toBe(false)
  })

  test('keeps the event before a window that an alert policy asks of, from its start on (E2)', () => {
    const mutes = [{ cause: 'stopped', beginType: 'stop', endType: 'go', atMostMs: null, settleMs: 0 }] as const
    const policy = {
      levels: [{ severity: 'warning', threshold: null, clearThreshold: null }],
      windows: { high: 1, of: 1 },
      minimumDurationMs: 0,
      clearAfterMs: null,
    } as const
    const events = new DeviceEvents(planOf({ alertRules: { policy, devices: [], mutes } }))
    expect(events.types).toEqual(['go', 'stop'])
    // Windows of 10 s: one that ends after 20 s may begin at 10 s, and is asked of the newest event then.
    add(events, 'stop', 9000)
    for (let i = 0; i < max; i++) add(events, 'stop', 11_000 + i)
    expect(events.newestAt(0, events.typeIndex('stop'), 10_000)).toBeNaN()
    const other = new DeviceEvents(planOf({ alertRules: { policy, devices: [], mutes } }))
    add(other, 'stop', 8000)
    add(other, 'stop', 9000)
    for (let i = 0; i < max - 1; i++) add(other, 'stop', 11_000 + i, 20_000)
    expect(other.newestAt(0, other.typeIndex('stop'), 8500)).toBeNaN()
    expect(other.newestAt(0, other.typeIndex('stop'), 10_000)).toBe(9000)
  })
})
