import { type AlertSignal, type DeviceFeatures, heartbeatDevicePrefix } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { DriftMonitor } from '../drift/drift-monitor.ts'
import { DataQuality } from '../quality/data-quality.ts'
import type { WatchedChannel } from '../quality/quality-plan.ts'
import { dayMs, hourMs, startMs } from '../testing/random-plant.ts'
import { referenceOf, simulatedFleet } from '../testing/simulated-fleet.ts'
import { VerdictJoin } from '../verdicts/verdict-join.ts'
import { PlantWatch, type PlantWatchState } from './plant-watch.ts'
import type { WatchedRecord, WatchedTopic } from './watched-record.ts'

const channels: readonly WatchedChannel[] = [
  { name: 'temperature', min: 0, max: 100, mayStandStill: false, evidence: [{ feature: 'a', of: 'level' }] },
]
const reference = referenceOf(simulatedFleet({ seed: 1, machines: 3, days: 3, correlation: 0.5 }))
const options = {
  channels,
  marked: false,
  referenceOf: (model: { version: string }) => (model.version === '1' ? reference : null),
}

const verdict = (id: string, kind: string, deviceId: string, from: number, to: number, revision = 0): string =>
  JSON.stringify({
    id,
    revision,
    deviceId,
    verdict: kind,
    from,
    to,
    recordedAt: to,
    model: { name: 'failure', version: '1' },
  })

/** Ten days of three machines, whose first feature moves on the sixth, as the topics have it; verdicts in between. */
function records(): WatchedRecord[] {
  const all: WatchedRecord[] = []
  const add = (topic: WatchedTopic, appendTimeMs: number, text: string): void =>
    void all.push({ topic, appendTimeMs, text })
  const drift = { fromDay: 6, shift: 12, noiseFactor: 1, machines: 3 }
  let previousMs = 0
  for (const signal of simulatedFleet({ seed: 7, machines: 3, days: 10, correlation: 0.5, drift })) {
    const { deviceId, windowStart, windowEnd, revision, features } = signal
    const feature: DeviceFeatures = { deviceId, windowStart, windowEnd, revision, readingCount: 300, features }
    if (windowEnd % dayMs === 0 && windowEnd > previousMs) {
      add(
        'maintenance-feedback',
        windowEnd,
        verdict(`f-${windowEnd}`, 'false-alarm', 'm1', windowEnd - 2 * hourMs, windowEnd),
      )
      add('device-status', windowEnd, `{"deviceId":"m2","kind":"device-silent","at":${windowEnd}}`)
      add('dead-letters', windowEnd, '{"reason":"future","topic":"sensor-data","deviceId":"m0"}')
      previousMs = windowEnd
    }
    add('device-features', windowEnd + 1000, JSON.stringify(feature))
    add('alert-signals', windowEnd + 1000, JSON.stringify(signal))
  }
  const endMs = startMs + 10 * dayMs
  add('maintenance-feedback', endMs, verdict('missed', 'missed-failure', 'm0', endMs - dayMs, endMs))
  return all
}
const all = records()

function watched(some: readonly WatchedRecord[], state?: PlantWatchState): PlantWatch {
  const watch = new PlantWatch(options, state)
  for (const record of some) watch.take(record)
  return watch
}

describe('PlantWatch', () => {
  const report = watched(all).report()

  test('says of a model what the parts say that read the same records by themselves (W1)', () => {
    const signals = all
      .filter(({ topic }) => topic === 'alert-signals')
      .map(({ text }) => JSON.parse(text) as AlertSignal)
    const join = new VerdictJoin()
    const monitor = new DriftMonitor(reference)
    for (const signal of signals) join.alertSignal(signal)
    for (const signal of signals) {
      monitor.alertSignal(signal)
      monitor.readUpTo(signal.windowEnd)
    }
    for (const { topic, text } of all) if (topic === 'maintenance-feedback') join.feedback(JSON.parse(text))
    const [model] = report.models
    expect(model).toMatchObject(join.report().models[0] ?? {})
    expect(model?.failures).toEqual({ caught: 0, missed: 1 })
    expect(model?.falseAlertsTotal).toBe(10)
    expect(model?.drift?.fleet).toEqual(monitor.fleetReport())
    expect(model?.drift?.fleet?.columns[0]).toMatchObject({ column: 'a', alarmed: true })
    expect(report.findings.some(({ deviceId, drift }) => deviceId === null && drift.column === 'a')).toBe(true)
    expect(model?.drift?.machinesAlarmed).toEqual({ a: 3, probability: 3 })
  })

  test('says what speaks against an estimate, and what was wrong with readings', () => {
    const [model] = report.models
    expect(model?.estimate).toMatchObject({
      windowCount: 7 * 3 * 288,
      from: startMs + 3 * dayMs,
      to: startMs + 10 * dayMs,
    })
    expect(model?.estimate?.distrust).toContain('outside-training')
    const counted = new Map<string, number>()
    for (const { topic, text } of all) {
      const { windowEnd, probability, status } = JSON.parse(text) as AlertSignal
      if (topic !== 'alert-signals' || windowEnd <= startMs + 3 * dayMs) continue
      const key = `${status} ${Math.floor(probability * 10)}`
      counted.set(key, (counted.get(key) ?? 0) + 1)
    }
    const told = model?.estimate?.predictions.map(({ high, tenth, windowCount }) => [
      `${high ? 'High risk of failure' : 'Normal'} ${tenth}`,
      windowCount,
    ])
    expect(new Map(told as [string, number][])).toEqual(counted)
    expect(counted.size).toBeGreaterThan(3)
    expect(report.quality).toMatchObject({
      machines: 3,
      machinesSilent: 1,
      totals: { windows: 10 * 3 * 288, clockAhead: 10, silences: 10 },
    })
    expect(report.quality.totals.channels[0]?.outOfRangeWindows).toBeGreaterThan(0)
    expect(report.quality.worst.map(({ deviceId }) => deviceId).sort()).toEqual(['m0', 'm2'])
  })

  test('says of one machine what its channels, its own reference and people say of it, and nothing of one that is unknown', () => {
    const watch = watched(all)
    const quality = new DataQuality(channels)
    const monitor = new DriftMonitor(reference)
    for (const { topic, text } of all) {
      if (topic === 'device-features') quality.deviceFeatures(JSON.parse(text))
      if (topic === 'device-status') quality.deviceStatus(JSON.parse(text))
      if (topic === 'dead-letters') quality.deadLetter(JSON.parse(text))
      if (topic === 'alert-signals') monitor.alertSignal(JSON.parse(text))
    }
    const machine = watch.machineReport('m1')
    expect(machine?.readUpTo).toBe(report.readUpTo)
    expect(machine?.quality?.now.channels).toEqual(quality.report('m1')?.now.channels)
    expect(machine?.quality).toEqual(quality.report('m1'))
    const [drift] = machine?.drift ?? []
    expect(machine?.drift).toEqual([{ model: { name: 'failure', version: '1' }, ...monitor.machineReport('m1') }])
    expect(drift).toMatchObject({ ownPeriods: 7, ownPeriodsWanted: 7, windows: 288, windowsWanted: 200 })
    expect(drift?.alarmed).toContain('a')
    expect(drift?.present?.map(({ column }) => column).sort()).toEqual(
      drift?.unlikeTraining?.map(({ column }) => column).sort(),
    )
    // It moved on the sixth day, its own reference was made in the first seven.
    expect(drift?.present?.find(({ column }) => column === 'a')?.drifted).toBe(true)
    expect(machine?.verdicts.map(({ kind }) => kind)).toEqual(Array.from({ length: 10 }, () => 'false-alarm'))
    expect(machine?.verdicts[0]?.toMs).toBe(startMs + 10 * dayMs)
    expect(watch.machineReport('m9')).toBeNull()
    const early = watched(all.slice(0, 20)).machineReport('m0')?.drift[0]
    expect(early).toMatchObject({ ownPeriods: 0, present: null, unlikeTraining: null, alarmed: [] })
  })

  test('a machine that is forgotten has no drift alarm any more, and leaves its room to others', () => {
    const watch = watched(all)
    const endMs = startMs + 10 * dayMs
    const forgotten = JSON.stringify({ deviceId: 'm1', kind: 'device-forgotten', at: endMs })
    watch.take({ topic: 'device-status', appendTimeMs: endMs, text: forgotten })
    const [model] = watch.report().models
    expect(model?.drift?.machinesAlarmed).toEqual({ a: 2, probability: 2 })
    expect(model?.drift?.fleet).toEqual(report.models[0]?.drift?.fleet)
    const devices = watch.snapshot().drift.versions[0]?.state.devices.map(([deviceId]) => deviceId)
    expect(devices).toEqual(['m0', 'm2'])
  })

  test('a verdict, and what was repaired by it, begins no machine anew: drift hangs on windows alone, whenever somebody reports', () => {
    const early = watched(all.filter(({ topic }) => topic !== 'maintenance-feedback'))
    const endMs = startMs + 10 * dayMs
    const drift = early.report().models[0]?.drift
    const failure = verdict('repaired', 'failure-confirmed', 'm1', endMs - 3 * dayMs, endMs)
    early.take({ topic: 'maintenance-feedback', appendTimeMs: endMs + 2000, text: failure })
    expect(early.report().models[0]?.drift).toEqual(drift)
    expect(early.machineReport('m1')?.drift[0]?.alarmed).toContain('a')
    expect(early.machineReport('m1')?.verdicts).toHaveLength(1)
  })

  test('restored from any snapshot it goes on as if nothing had happened (W4)', () => {
    let watch = new PlantWatch(options)
    for (const [index, record] of all.entries()) {
      watch.take(record)
      if (index % 2500 === 1234) watch = new PlantWatch(options, JSON.parse(JSON.stringify(watch.snapshot())))
    }
    expect(watch.report()).toEqual(report)
  })

  test("makes nothing of the plant's own heartbeat but that it was read (W5)", () => {
    const beats = all.flatMap((record) => {
      const { deviceId } = JSON.parse(record.text) as { deviceId: string | null }
      if (deviceId === null) return [record]
      const beat = { ...record, text: record.text.replaceAll(`"${deviceId}"`, `"${heartbeatDevicePrefix}1-1/0"`) }
      return record.topic === 'maintenance-feedback' ? [record] : [beat, record]
    })
    const { records, ...rest } = watched(beats).report()
    expect(records['alert-signals']).toBe(2 * report.records['alert-signals'])
    expect({ ...rest, records: report.records }).toEqual(report)
  })

  test('a history that is read in much later is judged like one that was watched (W2)', () => {
    const lateMs = 400 * dayMs
    const late = watched(all.map((record) => ({ ...record, appendTimeMs: record.appendTimeMs + lateMs })))
    expect(late.report()).toEqual({ ...report, readUpTo: (report.readUpTo ?? 0) + lateMs })
  })

  test('of one moment of append time, machines may come in any order, each with its own records (W2)', () => {
    const judged = (some: readonly WatchedRecord[]) => {
      const watch = watched(some)
      watch.timeCame(Number.POSITIVE_INFINITY)
      return watch.report()
    }
    const atOnce = all.map((record) => ({ ...record, appendTimeMs: startMs + 400 * dayMs }))
    const deviceOf = ({ text }: WatchedRecord): string => (JSON.parse(text) as { deviceId: string }).deviceId
    const machineByMachine = ['m2', 'm0', 'm1'].flatMap((id) => atOnce.filter((record) => deviceOf(record) === id))
    expect(machineByMachine).toHaveLength(all.length)
    expect(judged(machineByMachine)).toEqual(judged(atOnce))
    expect(judged(atOnce)).toEqual({ ...judged(all), readUpTo: startMs + 400 * dayMs })
  })

  test('a state of another baseline begins the drift anew, and nothing else', () => {
    const half = all.slice(0, all.length / 2)
    const state = watched(half).snapshot()
    const other = { ...options, referenceOf: () => null }
    const found = new PlantWatch(other, state).report()
    expect(found.models[0]?.drift).toBeNull()
    expect({ ...found.models[0], drift: null, estimate: null }).toEqual({
      ...watched(half).report().models[0],
      drift: null,
      estimate: null,
    })
  })
})
