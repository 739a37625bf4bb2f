import { type FeatureNode, UserFunctionError } from '@millwright/core'
import { createPlanDriver, planOf } from '@millwright/testkit'
import { describe, expect, test } from 'vitest'

const startMs = 1_766_000_000_000

function driverOf(feature: FeatureNode, channels = ['x']) {
  return createPlanDriver(planOf({ channels, features: { wear: feature } }))
}

function caught(run: () => void): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe("users' own functions", () => {
  const mean: FeatureNode = { kind: 'aggregate', statistic: 'mean', channel: 'x' }

  test('a throw is a UserFunctionError that names feature, device and window and keeps its cause', () => {
    const cause = new RangeError('no')
    const driver = driverOf({
      kind: 'derived',
      of: [mean],
      compute: () => {
        throw cause
      },
    })
    driver.reading({ deviceId: 'press-7', timestamp: startMs, x: 1 })
    const error = caught(() => driver.endOfInput())
    expect(error).toBeInstanceOf(UserFunctionError)
    expect(error).toMatchObject({
      code: 'USER_FUNCTION',
      cause,
      details: { feature: 'wear', deviceId: 'press-7', windowStart: startMs, windowEnd: startMs + 10_000 },
    })
    expect(String(error)).toContain('feature "wear" of device "press-7"')
  })

  test.each([
    ['undefined', undefined],
    ['string', '3'],
    ['null', null],
    ['object', Promise.resolve(3)],
    ['bigint', 3n],
  ])('an answer of type %s is a UserFunctionError', (type, answer) => {
    const driver = driverOf({ kind: 'custom', channels: ['x'], compute: () => answer as never })
    driver.reading({ deviceId: 'press-7', timestamp: startMs, x: 1 })
    expect(String(caught(() => driver.endOfInput()))).toContain(`it answered ${type}`)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is missing (F1)', (answer) => {
    const driver = driverOf({ kind: 'derived', of: [mean], compute: () => answer })
    driver.reading({ deviceId: 'd', timestamp: startMs, x: 1 })
    driver.endOfInput()
    expect(driver.take('device-features')[0]?.message.features).toEqual({ wear: null })
  })

  test('sees the readings by time, then by arrival, missing as NaN, and cannot change them', () => {
    const seen: unknown[] = []
    const driver = driverOf(
      {
        kind: 'custom',
        channels: ['y', 'x'],
        compute: ({ timestamps, values, ...window }) => {
          seen.push({
            ...window,
            timestamps: [...timestamps],
            x: [...(values['x'] ?? [])],
            y: [...(values['y'] ?? [])],
          })
          timestamps.fill(0)
          values['x']?.fill(0)
          return 1
        },
      },
      ['x', 'y'],
    )
    const lines = [
      { timestamp: startMs + 3, x: 1, y: 10 },
      { timestamp: startMs + 1, x: 2 },
      { timestamp: startMs + 3, y: 20 },
      { timestamp: startMs + 2, x: 4, y: 30 },
    ]
    for (const line of lines) driver.reading({ deviceId: 'd', ...line })
    driver.appendTimeMs = startMs
    driver.reading({ deviceId: 'd', timestamp: startMs + 4, x: 5, y: 40 })
    driver.heartbeat(startMs + 700_000)
    driver.endOfInput()
    driver.reading({ deviceId: 'd', timestamp: startMs + 20_000, x: 0 })
    expect(seen).toEqual([
      {
        windowStart: startMs,
        windowEnd: startMs + 10_000,
        timestamps: [1, 2, 3, 3, 4].map((ms) => startMs + ms),
        x: [2, 4, 1, Number.NaN, 5],
        y: [Number.NaN, 30, 10, 20, 40],
      },
    ])
  })
})
