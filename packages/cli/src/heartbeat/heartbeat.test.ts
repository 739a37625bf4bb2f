/** Method: beats go through the real door into the real operators, whose results are handed back; the clock is moved by hand. */
import { isHeartbeatDevice, type Plan, type WindowNode } from '@millwright/core'
import { createDoor } from '@millwright/gateways'
import { createReadingDecoder } from '@millwright/operators'
import { createPlanDriver, formulaModel, planOf } from '@millwright/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heartbeat } from './heartbeat.ts'
import { HeartbeatLine } from './heartbeat-line.ts'
import { heartbeatValues } from './heartbeat-values.ts'

const startMs = 1_790_000_000_000

/** A plant whose time is moved by hand. */
function plantOf(plan: Plan, intervalMs: number) {
  const driver = createPlanDriver(plan)
  driver.appendTimeMs = startMs
  driver.activate(formulaModel({ version: '1', threshold: 0.5, featureNames: ['mean'], probability: () => 0.9 }), 0)
  let refuse = false
  let elapsedMs = 0
  const decoder = createReadingDecoder({ channels: ['x'], timestamp: 'event', devicesMax: 8 })
  const heartbeat = new Heartbeat(
    {
      plan,
      door: createDoor({ decoder, devicesMax: 8, partitionCount: 1 }),
      nowMs: () => driver.appendTimeMs,
      elapsedMs: () => elapsedMs,
      ingest: {
        async append(_topic, parts) {
          if (refuse) throw new Error('full')
          for (const { lines } of parts)
            for (const line of Buffer.from(lines).toString().trim().split('\n')) driver.reading(line)
        },
      },
    },
    intervalMs,
  )
  const gauge = (name: string): number => heartbeat.gauges().find((each) => each.name === name)?.values[0]?.value ?? -1
  return {
    driver,
    heartbeat,
    gauge,
    set refuse(value: boolean) {
      refuse = value
    },
    /** Lets time pass, sends a beat, and gives back its results `latencyMs` later. */
    async beat(afterMs: number, latencyMs = 0) {
      driver.appendTimeMs += afterMs
      elapsedMs += afterMs
      heartbeat.beat()
      await new Promise((resolve) => setImmediate(resolve))
      elapsedMs += latencyMs
      const messages = driver.take()
      for (const { topic, line } of messages) if (topic === 'alert-signals') heartbeat.onResult(line)
      return messages
    },
    latencies: () => heartbeat.histograms()[0]?.values[0]?.counts,
  }
}

const windows = fc.oneof(
  fc.integer({ min: 5, max: 86_400_000 }).map((sizeMs): WindowNode => ({ kind: 'tumbling', sizeMs })),
  fc
    .tuple(fc.integer({ min: 5, max: 3_600_000 }), fc.integer({ min: 1, max: 24 }))
    .map(([slideMs, slides]): WindowNode => ({ kind: 'hopping', slideMs, sizeMs: slideMs * slides })),
  fc.integer({ min: 200, max: 3_600_000 }).map((gapMs): WindowNode => ({ kind: 'session', gapMs })),
  fc.constant<WindowNode>({ kind: 'per-reading' }),
)

test('each beat closes a window and is answered by its result, whatever the windows are, also after a pause (L1, B2)', async () => {
  await fc.assert(
    fc.asyncProperty(
      windows,
      fc.integer({ min: 0, max: 10_000 }),
      fc.constantFrom(1000, 5000, 60_000),
      fc.constantFrom(1000, 86_400_000),
      fc.array(fc.constantFrom(1, 1, 1, 2, 5000), { minLength: 4, maxLength: 12 }),
      async (window, graceMs, intervalMs, maxJumpMs, pauses) => {
        const plan = planOf({ window, time: { graceMs, maxJumpMs } })
        const plant = plantOf(plan, intervalMs)
        // The first beat has nothing to close.
        await plant.beat(intervalMs)
        for (const pause of pauses) {
          const before = plant.latencies()?.counts.at(-1) ?? 0
          const messages = await plant.beat(pause * intervalMs, 7)
          const line = new HeartbeatLine(plan, intervalMs)
          const now = plant.driver.appendTimeMs
          // The first beat of another device has nothing to close either (L3).
          if (line.at(now).deviceId !== line.at(now - pause * intervalMs).deviceId) continue
          const results = messages.filter(({ topic }) => topic === 'alert-signals')
          expect(results.length).toBeGreaterThan(0)
          expect(messages.filter(({ topic }) => topic === 'late-readings' || topic === 'dead-letters')).toEqual([])
          expect(plant.latencies()?.counts.at(-1)).toBe(before + 1)
          expect(plant.gauge('heartbeat_age_seconds')).toBe(0)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('the line goes on over restarts, stays behind every clock, and begins anew with another device when it is through (L2, L3)', () => {
  fc.assert(
    fc.property(windows, fc.constantFrom(1000, 5000, 60_000), fc.nat(10_000_000), (window, intervalMs, beats) => {
      const plan = planOf({ window })
      const line = new HeartbeatLine(plan, intervalMs)
      const first = line.at(startMs)
      const again = new HeartbeatLine(plan, intervalMs)
      expect(again.at(startMs + (intervalMs - 1 - (startMs % intervalMs)))).toEqual(first)
      const later = again.at(startMs + (1 + beats) * intervalMs)
      if (later.deviceId === first.deviceId) expect(later.timestampMs).toBeGreaterThan(first.timestampMs)
      for (const { deviceId, timestampMs } of [first, later]) {
        expect(isHeartbeatDevice(deviceId)).toBe(true)
        expect(timestampMs).toBeGreaterThan(Date.parse('1979-12-31'))
        expect(timestampMs).toBeLessThan(Date.parse('2010-01-05'))
      }
    }),
  )
  const line = new HeartbeatLine(planOf({ window: { kind: 'tumbling', sizeMs: 86_400_000 } }), 1000)
  const ids = new Set(Array.from({ length: 24 }, (_, hour) => line.at(startMs + hour * 3_600_000).deviceId))
  expect(ids.size).toBeGreaterThan(5)
})

test('two gateways send the same beats, of which one counts (L2)', async () => {
  const plan = planOf({})
  const plant = plantOf(plan, 5000)
  for (let beat = 0; beat < 3; beat++) await plant.beat(5000)
  const { deviceId, timestampMs } = new HeartbeatLine(plan, 5000).at(plant.driver.appendTimeMs)
  plant.driver.reading({ deviceId, timestamp: timestampMs, ...heartbeatValues(plan) })
  expect(plant.driver.take()).toEqual([])
  expect(plant.driver.operator.counters).toMatchObject({
    heartbeat_readings_total: 5,
    heartbeat_windows_total: 2,
    readings_in_total: 0,
    redelivered_total: 0,
  })
})

test('the age grows where nothing comes back or nothing is taken in; one beat waits at a time (B1, B3)', async () => {
  const plant = plantOf(planOf({}), 5000)
  for (let beat = 0; beat < 4; beat++) await plant.beat(5000)
  expect(plant.gauge('heartbeat_age_seconds')).toBe(0)
  expect(plant.latencies()?.counts.at(-1)).toBe(3)
  plant.refuse = true
  for (let beat = 0; beat < 6; beat++) await plant.beat(5000)
  expect(plant.gauge('heartbeat_age_seconds')).toBe(30)
  expect(plant.gauge('heartbeat_refused_total')).toBe(6)
  plant.refuse = false
  await plant.beat(5000, 40)
  expect(plant.gauge('heartbeat_age_seconds')).toBe(0)
  expect(plant.gauge('heartbeat_sent_total')).toBe(11)
  plant.heartbeat.beat()
  plant.heartbeat.beat()
  expect(plant.gauge('heartbeat_sent_total')).toBe(11)
})

test('operators count the heartbeat apart from machines', async () => {
  const plant = plantOf(planOf({}), 5000)
  for (let beat = 0; beat < 4; beat++) await plant.beat(5000)
  plant.driver.reading({ deviceId: 'press-1', timestamp: plant.driver.appendTimeMs, ...heartbeatValues(planOf({})) })
  expect(plant.driver.operator.counters).toMatchObject({
    readings_in_total: 1,
    readings_accepted_total: 1,
    heartbeat_readings_total: 5,
    heartbeat_windows_total: 3,
    windows_closed_total: 0,
    alerts_high_total: 0,
    alerts_normal_total: 0,
  })
})

test('heartbeatValues() keeps to what is possible and to what no rule minds, and says so where nothing is left', () => {
  const channel = (name: string, min: number | null, max: number | null) =>
    ({ name, unit: '1', kind: 'gauge', min, max }) as const
  const rule = (name: string, min: number | null, max: number | null) =>
    ({ kind: 'range', name: `${name}-range`, channel: name, min, max, onBad: 'drop' }) as const
  const channels = [channel('a', -40, 150), channel('b', 3, null), channel('c', null, -2), channel('d', null, null)]
  expect(heartbeatValues({ channels, cleaning: [rule('a', 0, 100)] })).toEqual({ a: 50, b: 3, c: -2, d: 0 })
  const wrong = { channels: [channel('a', 0, 1)], cleaning: [rule('a', 2, 3)] }
  expect(heartbeatValues({ ...wrong, channels: [...wrong.channels, channel('b', 1, 1)] })).toEqual({ b: 1 })
  expect(() => heartbeatValues(wrong)).toThrow('nothing to send')
})
