import type { DeadLetterReason, DeviceFeatures, FeatureNode, NamedFeature } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { dayMs, seeded, startMs } from '../testing/random-plant.ts'
import { DataQuality, type DataQualityState, defaultQualityRules } from './data-quality.ts'
import { watchedChannels } from './quality-plan.ts'

const named = (name: string, node: FeatureNode): NamedFeature => ({ name, unit: '1', node })
const aggregate = (statistic: 'mean' | 'std', channel: string): FeatureNode => ({
  kind: 'aggregate',
  statistic,
  channel,
})
const channel = (name: string, min: number | null, max: number | null, kind: 'gauge' | 'counter' = 'gauge') => ({
  name,
  unit: '1',
  kind,
  min,
  max,
})
const channels = watchedChannels({
  channels: [channel('t', 0, 100), channel('v', null, null), channel('pieces', 0, null, 'counter'), channel('x', 0, 1)],
  features: [
    named('tMean', aggregate('mean', 't')),
    named('tStd', aggregate('std', 't')),
    named('v', aggregate('mean', 'v')),
    named('pieces', aggregate('mean', 'pieces')),
    named('lag', { kind: 'lag', of: aggregate('mean', 'x'), windows: 1 }),
  ],
})

const windowMs = 300_000
function windowOf(
  index: number,
  features: DeviceFeatures['features'],
  fields: Partial<DeviceFeatures> = {},
): DeviceFeatures {
  const windowEnd = startMs + (index + 1) * windowMs
  return {
    deviceId: 'a',
    windowStart: windowEnd - windowMs,
    windowEnd,
    revision: 0,
    readingCount: 300,
    features,
    ...fields,
  }
}
const good = (index: number): DeviceFeatures['features'] => ({
  tMean: 60 + (index % 7),
  tStd: 1 + (index % 3),
  v: 2 + (index % 5) / 10,
  pieces: 40,
  lag: 0.5,
})

describe('DataQuality', () => {
  test('finds nothing in good data; a channel that no feature tells of is not known', () => {
    const quality = new DataQuality(channels)
    for (let i = 0; i < 300; i++) quality.deviceFeatures(windowOf(i, good(i)))
    const { last, now } = quality.report('a') ?? { last: null, now: null }
    expect(last).toMatchObject({
      periodStartMs: startMs,
      windows: 288,
      readings: 288 * 300,
      shortWindows: 0,
      longWindows: 0,
    })
    expect(last?.channels).toEqual([
      { channel: 't', missingWindows: 0, outOfRangeWindows: 0, flatWindows: 0 },
      { channel: 'v', missingWindows: 0, outOfRangeWindows: 0, flatWindows: 0 },
      { channel: 'pieces', missingWindows: 0, outOfRangeWindows: 0, flatWindows: 0 },
      { channel: 'x', missingWindows: null, outOfRangeWindows: 0, flatWindows: 0 },
    ])
    expect(now?.windows).toBe(12)
  })

  test('counts missing, impossible and flat values per channel', () => {
    const quality = new DataQuality(channels)
    for (let i = 0; i < 100; i++) {
      const features = { ...good(i) }
      if (i < 10) Object.assign(features, { tMean: null, tStd: null })
      else if (i < 15) Object.assign(features, { tMean: 101 })
      // A spread of 0 at an unchanged level from window 40 on; the twelfth in a row and all after it are flat.
      if (i >= 40) Object.assign(features, { tMean: 61, tStd: 0, v: 2.5 })
      quality.deviceFeatures(windowOf(i, features))
    }
    expect(quality.report('a')?.now.channels).toEqual([
      // The level of window 39 was 64: a spread of 0 at another level is a change.
      { channel: 't', missingWindows: 10, outOfRangeWindows: 5, flatWindows: 100 - 40 - 12 },
      { channel: 'v', missingWindows: 0, outOfRangeWindows: 0, flatWindows: 100 - 40 - 12 },
      { channel: 'pieces', missingWindows: 0, outOfRangeWindows: 0, flatWindows: 0 },
      { channel: 'x', missingWindows: null, outOfRangeWindows: 0, flatWindows: 0 },
    ])
  })

  test('knows the usual rate of a machine, and keeps to it over a burst', () => {
    const quality = new DataQuality(channels)
    for (let i = 0; i < 50; i++) quality.deviceFeatures(windowOf(i, good(i)))
    quality.deviceFeatures(windowOf(50, good(50), { readingCount: 100_000 }))
    quality.deviceFeatures(windowOf(51, good(51), { readingCount: 10 }))
    quality.deviceFeatures(windowOf(52, good(52), { readingCount: 290 }))
    expect(quality.report('a')?.now).toMatchObject({ shortWindows: 1, longWindows: 1 })
  })

  test('tells a wrong clock from other refusals, and how late readings are', () => {
    const quality = new DataQuality(channels)
    const refuse = (reason: DeadLetterReason): void =>
      quality.deadLetter({
        reason,
        message: '',
        topic: 'sensor-data',
        deviceId: 'a',
        bytes: '',
        encoding: 'utf-8',
        byteLength: 0,
      })
    for (const reason of ['future', 'jump-not-confirmed', 'timestamp-looks-like-seconds', 'no-channel'] as const)
      refuse(reason)
    quality.lateReading({ deviceId: 'a', timestamp: 1000, deviceClock: 61_000, channels: {} })
    quality.lateReading({ deviceId: 'a', timestamp: 1000, deviceClock: 31_000, channels: {} })
    quality.deviceStatus({ deviceId: 'a', kind: 'device-silent', at: 5 })
    const cleared = { kind: 'alert-cleared', at: 6, cause: 'timed', severity: 'warning', since: 1 } as const
    quality.deviceStatus({ deviceId: 'a', ...cleared })
    const now = quality.report('a')?.now
    expect(now).toMatchObject({ periodStartMs: null, clockAhead: 2, clockUnreadable: 1, otherRefusals: 1 })
    expect(now).toMatchObject({ lateReadings: 2, lateMsMax: 60_000, silences: 1, silent: true })
    quality.deviceStatus({ deviceId: 'a', kind: 'device-returned', at: 9 })
    expect(quality.report('a')?.now).toMatchObject({ silences: 1, silent: false })
    quality.deviceStatus({ deviceId: 'a', kind: 'device-forgotten', at: 9 })
    expect(quality.report('a')).toBe(null)
  })

  test('restored from any snapshot it goes on as if nothing had happened (Q4); a revision counts once (Q2)', () => {
    const random = seeded(5)
    const steps = Array.from({ length: 900 }, (_, i) => {
      const deviceId = random() < 0.5 ? 'a' : 'b'
      const value = random() < 0.1 ? null : Math.floor(random() * 3) * 60
      const message = windowOf(i, { ...good(i), tMean: value, tStd: value === null ? null : 0 }, { deviceId })
      return (quality: DataQuality): void => {
        quality.deviceFeatures(message)
        quality.deviceFeatures({ ...message, revision: 1 })
        if (i % 50 === 0) quality.deviceStatus({ deviceId, kind: 'device-silent', at: i })
      }
    })
    const straight = new DataQuality(channels)
    for (const step of steps) step(straight)
    for (const cut of [0, 333, 899]) {
      const first = new DataQuality(channels)
      for (const step of steps.slice(0, cut)) step(first)
      const text = JSON.stringify(first.snapshot())
      const restored = new DataQuality(channels, defaultQualityRules, JSON.parse(text) as DataQualityState)
      for (const step of steps.slice(cut)) step(restored)
      expect(restored.snapshot()).toEqual(straight.snapshot())
    }
    const { last, now } = straight.report('a') ?? {}
    expect((last?.windows ?? 0) + (now?.windows ?? 0)).toBeGreaterThan(0)
    expect(now?.periodStartMs).toBe(startMs + 3 * dayMs)
  })

  test('nothing of a machine that was forgotten is left, neither for itself nor for another; silent ones are counted', () => {
    const [quality, anew] = [new DataQuality(channels), new DataQuality(channels)]
    for (let i = 0; i < 600; i++) quality.deviceFeatures(windowOf(i, { ...good(i), tMean: 200, tStd: 0 }))
    quality.deviceStatus({ deviceId: 'a', kind: 'device-silent', at: 0 })
    expect([quality.machinesSilent, ...quality.machinesWithFindings()]).toEqual([1, 'a'])
    quality.deviceStatus({ deviceId: 'a', kind: 'device-forgotten', at: 0 })
    expect([quality.machinesSilent, ...quality.machinesWithFindings()]).toEqual([0])
    for (const deviceId of ['b', 'a'])
      for (const each of [quality, anew]) each.deviceFeatures(windowOf(700, good(700), { deviceId }))
    expect(quality.snapshot().machines).toEqual(anew.snapshot().machines)
    expect([...quality.machinesWithFindings()]).toEqual([])
  })

  test('keeps to its bound of machines and counts records of others (Q3)', () => {
    const quality = new DataQuality(channels, { ...defaultQualityRules, devicesMax: 1 })
    for (const deviceId of ['a', 'b', 'b']) quality.deviceFeatures(windowOf(0, good(0), { deviceId }))
    expect(quality.machineCount).toBe(1)
    expect(quality.machinesRefused).toBe(2)
  })
})
