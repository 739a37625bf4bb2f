import { limits } from '@millwright/core'
import { planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { DeviceEvents } from './device-events.ts'

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
})
