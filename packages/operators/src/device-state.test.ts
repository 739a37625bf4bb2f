import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DeviceStateEntry, type Plan, StateFormatError } from '@millwright/core'
import { createPlanDriver, planOf, scenarioFeatures } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import { deviceStateVersion } from './state-shape.ts'

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
    const fixture = readFileSync(join(import.meta.dirname, '../../../fixtures/device-state/version-1.bin'))
    expect(fixture[0]).toBe(deviceStateVersion)
    expect(new Uint8Array(fixture)).toEqual(stateOf(fullDriver()))
    const driver = restored(new Uint8Array(fixture))
    driver.endOfInput()
    expect(driver.take('device-features').length).toBe(1)
  })

  test('is refused where it is cut anywhere, and nothing is changed (B2)', () => {
    const state = stateOf(fullDriver())
    for (let length = 0; length < state.length; length += length < 300 ? 1 : 37) {
      const driver = createPlanDriver(fullPlan)
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

  test('is refused or read where any one byte is damaged, never half read', () => {
    const state = stateOf(fullDriver())
    for (let at = 0; at < state.length; at += 7) {
      const damaged = state.with(at, (state[at] as number) ^ 0x55)
      const driver = createPlanDriver(fullPlan)
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
