import { limits } from '@millwright/core'
import { emissions, windowReadings, windowStart } from '@millwright/kernels'
import { planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { CurrentReading } from '../current-reading.ts'
import { tablesOf } from '../tables-testing.ts'
import { flagChanged, flagClosed } from './window-store.ts'

const plan = planOf({
  features: {
    count: { kind: 'aggregate', statistic: 'count', channel: 'x' },
    q: { kind: 'quantile', channel: 'x', q: 0.5 },
  },
})

function newStore() {
  const { fold, table, counters, store } = tablesOf(plan)
  const reading = new CurrentReading(fold, 1, 0)
  reading.take(12, Float64Array.of(7))
  const starts = (device: number): number[] => {
    const found: number[] = []
    for (let slot = store.first(device); slot !== -1; slot = store.next(slot))
      found.push(store.float(slot, windowStart))
    return found
  }
  return { table, counters, store, starts, reading }
}

describe('WindowStore', () => {
  test('links each device its own windows, wherever they are opened (W1, W2)', () => {
    const { table, store, starts } = newStore()
    for (const device of [0, 3000]) table.begin(device)
    const second = store.open(0, -1, 20, 30)
    store.open(3000, -1, 5, 15)
    store.open(0, -1, 10, 20)
    store.open(0, second, 30, 40)
    expect(starts(0)).toEqual([10, 20, 30])
    expect(starts(3000)).toEqual([5])
    store.remove(0, store.first(0), second)
    expect(starts(0)).toEqual([10, 30])
    store.removeAll(0)
    expect(starts(0)).toEqual([])
    expect(starts(3000)).toEqual([5])
  })

  test('gives a freed slot back clean', () => {
    const { table, store, reading } = newStore()
    table.begin(0)
    const slot = store.open(0, -1, 10, 20)
    store.add(slot, reading)
    store.setFlag(slot, flagClosed, true)
    store.setInt(slot, emissions, 3)
    store.remove(0, -1, slot)
    expect(store.open(0, -1, 30, 40)).toBe(slot)
    expect(store.float(slot, windowReadings)).toBe(0)
    expect(store.int(slot, emissions)).toBe(0)
    expect(store.has(slot, flagClosed) || store.has(slot, flagChanged)).toBe(false)
    expect(store.raw(slot)?.count).toBe(0)
  })

  test('keeps at most windowReadingsMax raw values of a window, and counts the rest', () => {
    const { table, store, counters, reading } = newStore()
    table.begin(0)
    const slot = store.open(0, -1, 0, 10_000_000)
    for (let i = 0; i < limits.windowReadingsMax + 2; i++) store.add(slot, reading)
    expect(store.raw(slot)?.count).toBe(limits.windowReadingsMax)
    expect(store.float(slot, windowReadings)).toBe(limits.windowReadingsMax + 2)
    expect(counters.toRecord()['window_readings_not_kept_total']).toBe(2)
    const other = store.open(0, slot, 10_000_000, 20_000_000)
    store.add(other, reading)
    store.absorb(slot, other)
    expect(store.raw(slot)?.count).toBe(limits.windowReadingsMax)
    expect(counters.toRecord()['window_readings_not_kept_total']).toBe(3)
  })
})
