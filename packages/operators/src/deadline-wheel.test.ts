import { planOf } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { DeadlineWheel } from './deadline-wheel.ts'
import { tablesOf } from './tables-testing.ts'

test('DeadlineWheel finds each device at the first look after its deadline, however deadlines move (D1, D2, D3)', () => {
  let state = 42
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
  for (const spanMs of [1, 7, 1000, 3_600_000]) {
    const { table } = tablesOf(planOf({ time: { timestamp: 'arrival' } }))
    const wheel = new DeadlineWheel(table, spanMs)
    const deadlines = new Map<number, number>()
    let nowMs = 1_766_000_000_000
    let found = 0
    for (let round = 0; round < 400; round++) {
      nowMs += Math.floor(random() * spanMs * (random() < 0.05 ? 50 : 0.3))
      for (let i = 0; i < 5; i++) {
        const device = Math.floor(random() * 60)
        const known = deadlines.has(device)
        if (!table.exists(device)) table.begin(device)
        // At least a span ahead, at times far more: what a record may set.
        deadlines.set(device, nowMs + spanMs + Math.floor(random() < 0.2 ? random() * spanMs * 40 : 0))
        if (!known) wheel.file(device, deadlines.get(device) ?? 0, nowMs)
      }
      if (random() < 0.5) continue
      const due = wheel.takeDue(nowMs, (device) => deadlines.get(device) ?? Number.NaN)
      const wanted = [...deadlines.keys()].filter((device) => (deadlines.get(device) ?? 0) <= nowMs)
      expect(due.sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b))
      for (const device of due) deadlines.delete(device)
      found += due.length
    }
    expect(found).toBeGreaterThan(100)
  }
})
