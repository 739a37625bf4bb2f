import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Schedule } from './schedule.ts'

const schedules = fc
  .record({
    deviceCount: fc.integer({ min: 1, max: 2000 }),
    startMs: fc.integer({ min: 86_400_000, max: 2e12 }),
    durationMs: fc.constant(1e9),
    ratePerDeviceHz: fc.double({ min: 0.0001, max: 1000, noNaN: true }),
  })
  .map((options) => new Schedule(options))

test('Schedule.timeMs() never goes back from one slot to the next', () => {
  fc.assert(
    fc.property(schedules, fc.nat(1_000_000), fc.nat(), (schedule, tick, anyDevice) => {
      const device = anyDevice % schedule.deviceCount
      const [nextTick, nextDevice] = device + 1 < schedule.deviceCount ? [tick, device + 1] : [tick + 1, 0]
      return schedule.timeMs(nextDevice, nextTick) >= schedule.timeMs(device, tick)
    }),
    { seed: 7, numRuns: 2000 },
  )
})

test('Schedule.firstTickFrom() is the first tick at or after the time', () => {
  fc.assert(
    fc.property(schedules, fc.nat(), fc.nat(100_000_000), (schedule, anyDevice, sinceStartMs) => {
      const device = anyDevice % schedule.deviceCount
      const timeMs = schedule.startMs + sinceStartMs
      const tick = schedule.firstTickFrom(device, timeMs)
      return schedule.timeMs(device, tick) >= timeMs && (tick === 0 || schedule.timeMs(device, tick - 1) < timeMs)
    }),
    { seed: 7, numRuns: 2000 },
  )
})

test('Schedule spreads the devices evenly over one period', () => {
  const schedule = new Schedule({ deviceCount: 4, startMs: 1000, durationMs: 2000, ratePerDeviceHz: 1 })
  expect([0, 1, 2, 3].map((device) => schedule.timeMs(device, 1))).toEqual([2000, 2250, 2500, 2750])
  expect(schedule.endMs).toBe(3000)
})
