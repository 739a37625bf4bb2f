/**
 * Method: one fleet for each kind of fault, a fifth of its devices ill. A statistic of that kind must be plain in the
 * ill devices while the fault is at work, and absent before it and in all others; and the lines must hold exactly what
 * the ground truth says.
 */
import { describe, expect, test } from 'vitest'
import { channelNames, type FaultKind, faultKinds, faultTraits } from './fault-kinds.ts'
import type { InjectedFault } from './ground-truth.ts'
import type { SimulationOptions } from './options.ts'
import { createSimulation, type SimulatedLine } from './simulation.ts'

interface Reading extends SimulatedLine {
  /** In the order of `channelNames`. */
  readonly values: readonly number[]
}

const base: SimulationOptions = {
  seed: 11,
  deviceCount: 20,
  ratePerDeviceHz: 0.1,
  startMs: Date.parse('2026-01-06T06:00:00Z'),
  durationMs: 8 * 3_600_000,
}
const periodMs = 10_000
const endMs = base.startMs + base.durationMs

function run(options: SimulationOptions): { truth: InjectedFault[]; byDevice: Map<string, Reading[]> } {
  const simulation = createSimulation(options)
  const byDevice = new Map<string, Reading[]>()
  for (const line of simulation) {
    const parsed = JSON.parse(line.line)
    const reading = { ...line, values: channelNames.map((name) => parsed[name]) }
    expect(parsed.deviceId).toBe(line.deviceId)
    expect(parsed.timestamp).toBe(line.timestampMs)
    const list = byDevice.get(line.deviceId)
    if (list === undefined) byDevice.set(line.deviceId, [reading])
    else list.push(reading)
  }
  return { truth: simulation.groundTruth(), byDevice }
}

const healthy = run(base)
const fleets = new Map(faultKinds.map((kind) => [kind, run({ ...base, faults: [{ kind, share: 0.2 }] })]))
const fleetOf = (kind: FaultKind) => fleets.get(kind) as ReturnType<typeof run>

const [temperature, vibration, pressure] = [0, 1, 2]
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
const kurtosis = (values: readonly number[]): number => {
  const m = mean(values)
  return mean(values.map((v) => (v - m) ** 4)) / mean(values.map((v) => (v - m) ** 2)) ** 2
}

const correlation = (a: readonly number[], b: readonly number[]): number => {
  const [ma, mb] = [mean(a), mean(b)]
  const product = (x: readonly number[], mx: number, y: readonly number[], my: number) =>
    mean(x.map((v, i) => (v - mx) * ((y[i] as number) - my)))
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb))
}

/** The channel's change against the same device in the healthy fleet, at the true times of [fromMs, toMs). */
function changes(kind: FaultKind, deviceId: string, channel: number, fromMs: number, toMs: number): number[] {
  const ill = fleetOf(kind).byDevice.get(deviceId) as Reading[]
  const well = healthy.byDevice.get(deviceId) as Reading[]
  expect(ill.length).toBe(well.length)
  return ill.flatMap((reading, i) => {
    const twin = well[i] as Reading
    const isIn = twin.arrivalMs >= fromMs && twin.arrivalMs < toMs
    return isIn ? [(reading.values[channel] as number) - (twin.values[channel] as number)] : []
  })
}

describe.each(faultKinds)('%s', (kind) => {
  const { truth, byDevice } = fleetOf(kind)
  const ill = new Set(truth.map((fault) => fault.deviceId))

  test('has as many devices and occurrences as were asked for, within the run', () => {
    expect(ill.size).toBe(4)
    expect(truth.length).toBe(4 * faultTraits[kind].occurrences)
    for (const fault of truth) {
      expect(fault.fault).toBe(kind)
      expect(fault.startMs).toBeGreaterThanOrEqual(base.startMs + base.durationMs / 10)
      for (const timeMs of [fault.endMs, fault.failureMs, fault.deliveredMs, fault.fullMs]) {
        expect(timeMs ?? endMs).toBeLessThanOrEqual(endMs)
        expect(timeMs ?? endMs).toBeGreaterThanOrEqual(fault.startMs)
      }
      expect(fault.failureMs === null).toBe(faultTraits[kind].group !== 'machine')
    }
  })

  test('leaves the other devices, and the time before it, as in a healthy fleet', () => {
    for (const [deviceId, readings] of byDevice) {
      const firstMs = Math.min(...truth.filter((f) => f.deviceId === deviceId).map((f) => f.startMs), endMs)
      const before = (reading: Reading) => reading.arrivalMs < firstMs
      expect(readings.filter(before)).toEqual(healthy.byDevice.get(deviceId)?.filter(before))
    }
  })

  test('has severity 0 before it, never falling while it lasts, and at most 1', () => {
    for (const fault of truth) {
      expect(fault.severityAt(fault.startMs - 1)).toBe(0)
      expect(fault.severityAt(fault.endMs ?? endMs)).toBe(fault.endMs === null ? 1 : 0)
      let last = 0
      for (let timeMs = fault.startMs + 1; timeMs < Math.min(fault.endMs ?? endMs, endMs); timeMs += 10_007) {
        const severity = fault.severityAt(timeMs)
        expect(severity).toBeGreaterThan(0)
        expect(severity).toBeGreaterThanOrEqual(last)
        expect(severity).toBeLessThanOrEqual(1)
        last = severity
      }
      expect(fault.severityAt(fault.fullMs)).toBe(1)
    }
  })
})

test('bearing-wear raises kurtosis first, then vibration exponentially, and temperature after it', () => {
  for (const { deviceId, startMs, fullMs, magnitude } of fleetOf('bearing-wear').truth) {
    const part = (from: number, to: number, channel = vibration) => {
      const lengthMs = fullMs - startMs
      return changes('bearing-wear', deviceId, channel, startMs + from * lengthMs, startMs + to * lengthMs)
    }
    expect(kurtosis(part(0, 0.3))).toBeGreaterThan(6)
    const levels = [part(0.3, 0.4), part(0.6, 0.7), part(0.9, 1)].map(mean) as [number, number, number]
    expect(levels[1] / levels[0]).toBeGreaterThan(1.5)
    expect(levels[2] / levels[1]).toBeGreaterThan(2)
    expect(mean(part(1, 1.05))).toBeGreaterThan(0.5 * magnitude)
    expect(mean(part(0.95, 1, temperature))).toBeGreaterThan(8)
    expect(mean(part(0, 0.3, temperature))).toBeLessThan(1)
    expect(Math.max(...part(0, 2, pressure).map(Math.abs))).toBe(0)
  }
})

test('imbalance steps up at once, rises on to its magnitude, and grows with the square of speed', () => {
  // Three days, so that each machine is seen at its high and its low load.
  const options = { ...base, ratePerDeviceHz: 0.01, durationMs: 3 * 86_400_000 }
  const well = run(options).byDevice
  const { truth, byDevice } = run({ ...options, faults: [{ kind: 'imbalance', share: 0.5 }] })
  let variedCount = 0
  for (const fault of truth) {
    const twins = well.get(fault.deviceId) as Reading[]
    const hours = new Map<number, { healthy: number[]; speed: number[] }>()
    for (const [i, reading] of (byDevice.get(fault.deviceId) as Reading[]).entries()) {
      const severity = fault.severityAt(reading.arrivalMs)
      if (severity === 0) continue
      expect(severity).toBeGreaterThanOrEqual(0.35)
      const twin = (twins[i] as Reading).values
      const share = ((reading.values[vibration] as number) - (twin[vibration] as number)) / (fault.magnitude * severity)
      expect(share).toBeGreaterThan(0.02)
      expect(share).toBeLessThanOrEqual(1)
      expect(reading.values[temperature]).toBe(twin[temperature])
      const key = Math.floor(reading.arrivalMs / 3_600_000)
      const hour = hours.get(key) ?? { healthy: [], speed: [] }
      hours.set(key, hour)
      hour.healthy.push(twin[vibration] as number)
      hour.speed.push(Math.sqrt(share))
    }
    const healthyLevels = [...hours.values()].map((hour) => mean(hour.healthy))
    if (Math.max(...healthyLevels) - Math.min(...healthyLevels) < 0.3) continue
    variedCount++
    const speeds = [...hours.values()].map((hour) => mean(hour.speed))
    expect(correlation(healthyLevels, speeds)).toBeGreaterThan(0.99)
  }
  expect(variedCount).toBeGreaterThan(2)
})

test('leak lets pressure decay by the share that the truth names, fast at first', () => {
  for (const { deviceId, startMs, fullMs, magnitude } of fleetOf('leak').truth) {
    const lossAt = (timeMs: number) => -mean(changes('leak', deviceId, pressure, timeMs - 300_000, timeMs + 300_000))
    const level = mean((healthy.byDevice.get(deviceId) as Reading[]).map((r) => r.values[pressure] as number))
    const middleMs = (startMs + fullMs) / 2
    expect(lossAt(fullMs + 300_000) / level).toBeCloseTo(magnitude, 1)
    expect(lossAt(middleMs)).toBeGreaterThan(0.85 * lossAt(fullMs))
    expect(Math.max(...changes('leak', deviceId, vibration, startMs, endMs).map(Math.abs))).toBe(0)
  }
})

test('fouling makes temperature drift up in proportion to load', () => {
  for (const { deviceId, startMs, fullMs, magnitude } of fleetOf('fouling').truth) {
    const atHalf = mean(
      changes('fouling', deviceId, temperature, (startMs + fullMs) / 2 - 300_000, (startMs + fullMs) / 2 + 300_000),
    )
    const atEnd = mean(changes('fouling', deviceId, temperature, fullMs, fullMs + 600_000))
    expect(atEnd).toBeGreaterThan(0.15 * magnitude)
    expect(atEnd).toBeLessThanOrEqual(magnitude)
    expect(atHalf).toBeLessThan(atEnd)
  }
})

test('sensor-stuck repeats the last value on its channel and leaves the others alone', () => {
  for (const fault of fleetOf('sensor-stuck').truth) {
    const readings = fleetOf('sensor-stuck').byDevice.get(fault.deviceId) as Reading[]
    const channel = channelNames.indexOf(fault.channel as never)
    const last = readings.filter((r) => r.arrivalMs < fault.startMs).at(-1) as Reading
    const stuck = readings.filter((r) => r.arrivalMs >= fault.startMs)
    expect(stuck.length).toBeGreaterThan(100)
    expect(new Set(stuck.map((r) => r.values[channel]))).toEqual(new Set([last.values[channel]]))
    for (const other of [0, 1, 2].filter((c) => c !== channel)) {
      expect(new Set(stuck.map((r) => r.values[other])).size).toBeGreaterThan(20)
    }
  }
  const channels = new Set(
    createSimulation({ ...base, deviceCount: 200, faults: [{ kind: 'sensor-stuck', share: 1 }] })
      .groundTruth()
      .map((fault) => fault.channel),
  )
  expect(channels).toEqual(new Set(channelNames))
})

test('sensor-drift adds a straight line to its channel', () => {
  for (const { deviceId, startMs, fullMs, channel, magnitude } of fleetOf('sensor-drift').truth) {
    const index = channelNames.indexOf(channel as never)
    for (const share of [0.25, 0.5, 1]) {
      const atMs = startMs + share * (fullMs - startMs)
      const [change] = changes('sensor-drift', deviceId, index, atMs, atMs + 2 * periodMs)
      expect((change as number) / (magnitude * share)).toBeCloseTo(1, 1)
    }
  }
})

test('clock-skew and clock-drift add to the timestamp what the truth says, and change no value', () => {
  for (const kind of ['clock-skew', 'clock-drift'] as const) {
    for (const fault of fleetOf(kind).truth) {
      for (const { arrivalMs, timestampMs } of fleetOf(kind).byDevice.get(fault.deviceId) as Reading[]) {
        expect(timestampMs - arrivalMs).toBe(Math.floor(fault.magnitude * fault.severityAt(arrivalMs)) + 0)
      }
      for (const channel of [0, 1, 2]) {
        expect(Math.max(...changes(kind, fault.deviceId, channel, base.startMs, endMs).map(Math.abs))).toBe(0)
      }
    }
  }
})

test('gap leaves out exactly the readings of its time', () => {
  const { truth, byDevice } = fleetOf('gap')
  for (const [deviceId, twins] of healthy.byDevice) {
    const gaps = truth.filter((fault) => fault.deviceId === deviceId)
    const expected = twins.filter((r) => gaps.every((gap) => gap.severityAt(r.arrivalMs) === 0))
    expect(byDevice.get(deviceId)).toEqual(expected)
    if (gaps.length > 0) expect(expected.length).toBeLessThan(twins.length - 50)
  }
})

test('duplicate brings earlier readings of its time again, byte for byte, at the rate that the truth names', () => {
  const { truth, byDevice } = fleetOf('duplicate')
  for (const fault of truth) {
    const seen = new Map<string, Reading>()
    let repeated = 0
    let originals = 0
    for (const reading of byDevice.get(fault.deviceId) as Reading[]) {
      const first = seen.get(reading.line)
      if (first === undefined) {
        if (fault.severityAt(reading.arrivalMs) > 0) originals++
        seen.set(reading.line, reading)
      } else {
        repeated++
        expect(fault.severityAt(first.arrivalMs)).toBe(1)
        expect(fault.severityAt(reading.arrivalMs)).toBe(1)
        expect(reading.arrivalMs - first.arrivalMs).toBeLessThanOrEqual(3 * periodMs + 1)
      }
    }
    expect(seen.size).toBe(healthy.byDevice.get(fault.deviceId)?.length)
    expect(Math.abs(repeated / originals - fault.magnitude)).toBeLessThan(0.04)
  }
})

test('late-batch holds the readings of its time back and delivers them together, in order, behind live ones', () => {
  const { truth, byDevice } = fleetOf('late-batch')
  for (const [deviceId, twins] of healthy.byDevice) {
    const batches = truth.filter((fault) => fault.deviceId === deviceId)
    const arrivals = byDevice.get(deviceId) as Reading[]
    expect(arrivals.map((r) => r.line).sort()).toEqual(twins.map((r) => r.line).sort())
    for (const batch of batches) {
      const late = arrivals.filter((r) => batch.severityAt(r.timestampMs) > 0)
      expect(late.length).toBeGreaterThan(20)
      expect(new Set(late.map((r) => r.arrivalMs)).size).toBe(1)
      const arrivalMs = (late[0] as Reading).arrivalMs
      expect(arrivalMs - (batch.deliveredMs as number)).toBeGreaterThanOrEqual(0)
      expect(arrivalMs - (batch.deliveredMs as number)).toBeLessThan(periodMs)
      expect(late.map((r) => r.timestampMs)).toEqual(late.map((r) => r.timestampMs).sort((a, b) => a - b))
      const live = arrivals.filter((r) => r.arrivalMs > (batch.endMs as number) && r.arrivalMs < arrivalMs)
      expect(live.length).toBeGreaterThan(10)
    }
  }
})

test('faults fall on different devices as long as their shares add up to 1, and then go round', () => {
  const spread = createSimulation({
    ...base,
    deviceCount: 110,
    faults: faultKinds.map((kind) => ({ kind, share: 1 / 11 })),
  })
  expect(new Set(spread.groundTruth().map((fault) => fault.deviceId)).size).toBe(110)
  const all = createSimulation({ ...base, faults: faultKinds.map((kind) => ({ kind, share: 1 })) })
  for (const kind of faultKinds) {
    const devices = new Set(all.groundTruth().flatMap((fault) => (fault.fault === kind ? [fault.deviceId] : [])))
    expect(devices.size).toBe(20)
  }
})

test('normal is not trivial: a healthy machine has other levels by load and by machine', () => {
  const levels = [...healthy.byDevice.values()].map((readings) =>
    mean(readings.map((r) => r.values[vibration] as number)),
  )
  expect(Math.max(...levels) / Math.min(...levels)).toBeGreaterThan(1.3)
  const twoShifts = createSimulation({
    ...base,
    deviceCount: 1,
    seed: 3,
    durationMs: 86_400_000,
    ratePerDeviceHz: 0.01,
  })
  const temperatures = [...twoShifts].map(({ line }) => JSON.parse(line).temperature as number)
  expect(Math.max(...temperatures) - Math.min(...temperatures)).toBeGreaterThan(3)
})
