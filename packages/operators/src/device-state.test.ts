import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DeviceStateEntry, type Plan, StateFormatError } from '@millwright/core'
import { constantModel, createPlanDriver, planOf, scenarioFeatures } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { deviceStateVersion, stateShape } from './state-shape.ts'

const fixtures = join(import.meta.dirname, '../../../fixtures/device-state')
const startMs = 1_766_000_000_000

/** A plan and a history that leave something in every part of the state. */
const fullPlan = planOf({
  channels: ['a', 'b'],
  features: scenarioFeatures,
  time: { allowedLatenessMs: 60_000, maxJumpMs: 3_600_000, silentAfterMs: 60_000 },
})

function fullDriver(plan: Plan = fullPlan) {
  const driver = createPlanDriver(plan)
  driver.appendTimeMs = startMs
  for (let i = 0; i < 20; i++) driver.reading({ deviceId: 'press-7', timestamp: startMs + i * 1300, a: i / 8, b: i })
  driver.event({ deviceId: 'press-7', timestamp: startMs + 2, type: 'maintenance', detail: 'bearing' })
  driver.event({ deviceId: 'press-7', timestamp: startMs + 3, type: 'error' })
  driver.heartbeat(startMs + 61_000)
  driver.appendTimeMs = startMs + 86_400_000
  driver.reading({ deviceId: 'press-7', timestamp: startMs + 86_400_000, a: 5, note: 'waits' })
  driver.take()
  return driver
}

/** The same with an alert policy: an alert stands, and answers are kept. */
const alertPlan = planOf({
  channels: ['a', 'b'],
  features: scenarioFeatures,
  time: { allowedLatenessMs: 60_000, maxJumpMs: 3_600_000, silentAfterMs: 60_000 },
  alertRules: {
    policy: {
      levels: [
        { severity: 'warning', threshold: 0.5, clearThreshold: 0.25 },
        { severity: 'critical', threshold: 0.9, clearThreshold: null },
      ],
      windows: { high: 2, of: 3 },
      minimumDurationMs: 60_000,
      clearAfterMs: 3_600_000,
    },
    devices: [],
    mutes: [
      { cause: 'maintenance', beginType: 'service-begin', endType: 'service-end', atMostMs: 86_400_000, settleMs: 0 },
    ],
  },
})

function alertDriver() {
  const driver = createPlanDriver(alertPlan)
  driver.appendTimeMs = startMs
  driver.event({ deviceId: 'press-7', timestamp: startMs - 7_200_000, type: 'service-begin' })
  driver.event({ deviceId: 'press-7', timestamp: startMs - 3_600_000, type: 'service-end' })
  const featureNames = alertPlan.features.map(({ name }) => name)
  for (const [i, probability] of [0, 0, 0.1, 0.6, 0.95, 0.3].entries()) {
    driver.activate(constantModel({ version: `v${i}`, probability, threshold: 0.5 }, featureNames), 0)
    driver.appendTimeMs += 10_000
    driver.reading({ deviceId: 'press-7', timestamp: startMs + (i + 1) * 10_000, a: i / 8, b: i })
  }
  driver.take()
  return driver
}

function stateOf(driver: ReturnType<typeof fullDriver>): Uint8Array {
  const [entry] = driver.operator.takeDirty()
  if (entry?.state == null) throw new Error('the device has a state')
  return entry.state.slice()
}

function restored(state: Uint8Array, plan: Plan = fullPlan) {
  const driver = createPlanDriver(plan)
  driver.operator.restore({ deviceId: 'press-7', state })
  return driver
}

describe('takeDirty()', () => {
  const reading = (deviceId: string, seconds: number) => ({ deviceId, timestamp: startMs + seconds * 1000, x: seconds })

  test('gives each device that changed since the last call, once', () => {
    const driver = createPlanDriver(planOf())
    for (const id of ['a', 'b', 'a']) driver.reading(reading(id, id === 'a' ? driver.counter('readings_in_total') : 0))
    driver.take()
    const ids = (): string[] => driver.operator.takeDirty().map(({ deviceId }) => deviceId)
    expect(ids()).toEqual(['a', 'b'])
    expect(ids()).toEqual([])
    driver.reading(reading('b', 3))
    expect(ids()).toEqual(['b'])
    driver.appendTimeMs = startMs
    driver.event({ deviceId: 'a', timestamp: startMs, type: 'note' })
    expect(ids()).toEqual(['a'])
    driver.heartbeat(startMs + 600_000)
    driver.take()
    expect(ids()).toEqual(['a'])
  })

  test('names a device that was forgotten, unless it is there again', () => {
    const driver = createPlanDriver(planOf({ time: { forgetAfterMs: 600_000 } }))
    driver.appendTimeMs = startMs
    driver.reading(reading('a', 0))
    driver.reading(reading('b', 0))
    driver.heartbeat(startMs + 600_000)
    driver.appendTimeMs = startMs + 600_001
    driver.reading(reading('b', 0))
    driver.take()
    const entries: DeviceStateEntry[] = driver.operator.takeDirty()
    expect(entries.map(({ deviceId, state }) => [deviceId, state === null])).toEqual([
      ['b', false],
      ['a', true],
    ])
    expect(driver.operator.deviceCount).toBe(1)
    expect(driver.operator.takeDirty()).toEqual([])
  })

  test('wants outputs flushed first', () => {
    const driver = createPlanDriver(planOf())
    driver.reading('nonsense')
    expect(() => driver.operator.takeDirty()).toThrow('flushed')
  })
})

describe('a stored state', () => {
  test('restores to equal bytes (B1)', () => {
    const state = stateOf(fullDriver())
    const driver = restored(state)
    driver.reading({ deviceId: 'press-7', timestamp: 'malformed' })
    driver.take()
    // Restoring is no change; a record is.
    expect(driver.operator.takeDirty()).toEqual([])
    driver.event({ deviceId: 'press-7', timestamp: startMs, type: 'unused' })
    expect(stateOf(driver)).toEqual(state)
  })

  // Never write this fixture anew: a change of the format is a new version with a fixture of its own.
  test('opens where the first release of version 1 wrote it', () => {
    const fixture = readFileSync(join(fixtures, 'version-1.bin'))
    expect(fixture[0]).toBe(deviceStateVersion)
    expect(new Uint8Array(fixture)).toEqual(stateOf(fullDriver()))
    const driver = restored(new Uint8Array(fixture))
    driver.endOfInput()
    expect(driver.take('device-features').length).toBe(1)
  })

  // Never write this fixture anew, either.
  test('opens where the first release with an alert policy wrote it', () => {
    const fixture = readFileSync(join(fixtures, 'version-1-alert.bin'))
    expect(new Uint8Array(fixture)).toEqual(stateOf(alertDriver()))
    const driver = restored(new Uint8Array(fixture), alertPlan)
    driver.heartbeat(startMs + 4_000_000)
    const cleared = { at: startMs + 60_000 + 3_600_000, cause: 'timed', severity: 'warning' }
    expect(driver.take('device-status').map(({ message }) => message)).toMatchObject([
      { kind: 'device-silent' },
      { kind: 'alert-cleared', ...cleared },
    ])
  })

  test('is read under a policy that keeps more windows, fewer, or none, and by a plan that had none before', () => {
    const state = stateOf(alertDriver())
    const { rules } = alertPlan.alert
    if (rules === undefined) throw new Error('the plan has rules')
    const withWindows = (of: number): Plan => ({
      ...alertPlan,
      alert: { ...alertPlan.alert, rules: { ...rules, policy: { ...rules.policy, windows: { high: 1, of } } } },
    })
    const carried = (bytes: Uint8Array, from: Plan, to: Plan): Uint8Array => {
      const driver = createPlanDriver(to, { earlierShapes: [stateShape(from)] })
      driver.operator.restore({ deviceId: 'press-7', state: bytes })
      driver.event({ deviceId: 'press-7', timestamp: startMs, type: 'unused' })
      driver.take()
      return stateOf(driver)
    }
    for (const of of [1, 2, 5]) {
      const there = carried(state, alertPlan, withWindows(of))
      const again = carried(there, withWindows(of), alertPlan)
      // Nine bytes for each window of three that was dropped, and the count of those that are left.
      const lost = Math.max(0, 3 - of)
      expect(again.length).toBe(state.length - 9 * lost)
      expect(again.slice(-9 * (3 - lost))).toEqual(state.slice(-9 * (3 - lost)))
      expect(again.at(-9 * (3 - lost) - 1)).toBe(3 - lost)
    }
    const plain: Plan = { ...alertPlan, alert: { threshold: null, whyMax: 3 } }
    const anew = carried(carried(state, alertPlan, plain), plain, alertPlan)
    expect([...anew.slice(-2)]).toEqual([0, 0])
  })

  test.each([
    ['a full state', fullPlan, fullDriver],
    ['one with an alert', alertPlan, alertDriver],
  ] as const)('is refused where it is cut anywhere, and nothing is changed (B2): %s', (_, plan, driverOf) => {
    const state = stateOf(driverOf())
    for (let length = 0; length < state.length; length += length < 300 || length > state.length - 80 ? 1 : 37) {
      const driver = createPlanDriver(plan)
      const restore = (): void => driver.operator.restore({ deviceId: 'press-7', state: state.subarray(0, length) })
      expect(restore, `cut at ${length}`).toThrow(StateFormatError)
      expect(driver.operator.deviceCount).toBe(0)
    }
  })

  test('is refused where something follows it, or its version is another', () => {
    const state = stateOf(fullDriver())
    expect(() => restored(Uint8Array.of(...state, 0))).toThrow('1 bytes must not follow')
    expect(() => restored(state.with(0, 2))).toThrow('version 1: found 2')
  })

  test.each([
    ['another window', { ...fullPlan, window: { kind: 'tumbling', sizeMs: 20_000 } }],
    ['another channel', { ...fullPlan, channels: [...fullPlan.channels, { ...fullPlan.channels[0], name: 'c' }] }],
    ['another feature', { ...fullPlan, features: fullPlan.features.slice(0, -2) }],
  ] as [string, Plan][])('is refused by a plan with %s', (_, plan) => {
    expect(() => restored(stateOf(fullDriver()), plan)).toThrow('of the plan that runs')
  })

  test.each([
    ['a full state', fullPlan, fullDriver],
    ['one with an alert', alertPlan, alertDriver],
  ] as const)('is refused or read where any one byte is damaged, never half read: %s', (_, plan, driverOf) => {
    const state = stateOf(driverOf())
    for (let at = 0; at < state.length; at += at < state.length - 80 ? 7 : 1) {
      const damaged = state.with(at, (state[at] as number) ^ 0x55)
      const driver = createPlanDriver(plan)
      try {
        driver.operator.restore({ deviceId: 'press-7', state: damaged })
        expect(driver.operator.deviceCount).toBe(1)
      } catch (error) {
        expect(error).toBeInstanceOf(StateFormatError)
        expect(driver.operator.deviceCount).toBe(0)
      }
    }
  })
})

test('a restored operator counts on from where the other stopped', () => {
  const driver = fullDriver()
  const shared = driver.operator.takeShared()
  const next = createPlanDriver(fullPlan)
  next.operator.restoreShared(JSON.parse(JSON.stringify(shared)), () => {
    throw new Error('there are no activations')
  })
  expect(next.operator.counters).toEqual(driver.operator.counters)
  expect(next.operator.takeShared()).toEqual(shared)
  expect(shared.appendClockMs).toBe(startMs + 86_400_000)
})
