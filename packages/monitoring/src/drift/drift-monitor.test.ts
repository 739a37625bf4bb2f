import type { AlertSignal } from '@millwright/core'
import { describe, expect, test } from 'vitest'
import { dayMs, seeded, startMs } from '../testing/random-plant.ts'
import { type FleetOptions, referenceOf, simulatedFleet, windowMs } from '../testing/simulated-fleet.ts'
import { type DriftFinding, DriftMonitor, type DriftState, defaultDriftRules } from './drift-monitor.ts'

const rules = { ...defaultDriftRules, ownPeriods: 3, devicesMax: 50 }
const quiet: FleetOptions = { seed: 3, machines: 4, days: 10, correlation: 0.5 }
const reference = referenceOf(simulatedFleet({ ...quiet, seed: 3, days: 4 }))

function run(monitor: DriftMonitor, signals: Iterable<AlertSignal>): DriftFinding[] {
  const findings: DriftFinding[] = []
  let day = 0
  for (const signal of signals) {
    findings.push(...monitor.alertSignal(signal))
    const now = Math.floor((signal.windowStart - startMs) / dayMs)
    // A little more than the grace into the day, when the last one is judged.
    if (now > day && signal.windowStart > startMs + now * dayMs + 2 * 3_600_000) {
      day = now
      findings.push(...monitor.readUpTo(signal.windowStart))
    }
  }
  return findings
}

describe('DriftMonitor', () => {
  test('says nothing of a fleet that stays as it was', () => {
    const monitor = new DriftMonitor(reference, rules)
    expect(run(monitor, simulatedFleet(quiet))).toEqual([])
    expect(monitor.counters.devicePeriodsJudged).toBe(4 * 9)
    expect(monitor.counters.fleetPeriodsJudged).toBeGreaterThanOrEqual(8)
    expect(monitor.fleetReport()?.columns.every(({ psi }) => psi < 0.2)).toBe(true)
  })

  test('stays under one alarm per machine-month where windows resemble each other for hours, and there is no drift', () => {
    const slow: FleetOptions = { seed: 5, machines: 8, days: 30, correlation: 0.98 }
    const monitor = new DriftMonitor(referenceOf(simulatedFleet({ ...slow, days: 10 })))
    const raised = run(monitor, simulatedFleet(slow)).filter(({ change }) => change === 'raised')
    expect(raised.filter(({ deviceId }) => deviceId === null)).toEqual([])
    expect(raised.length).toBeLessThan(8)
  })

  test('finds the feature that moved, on the machine and no other, ranked by its effect on the model', () => {
    const drift = { fromDay: 5, shift: 3, noiseFactor: 1, machines: 1 }
    const weighted = referenceOf(simulatedFleet({ ...quiet, days: 4 }), [8, 1, 1])
    const monitor = new DriftMonitor(weighted, rules)
    const findings = run(monitor, simulatedFleet({ ...quiet, drift }))
    const ofMachines = findings.filter(({ deviceId }) => deviceId !== null)
    expect(new Set(ofMachines.map(({ deviceId }) => deviceId))).toEqual(new Set(['m0']))
    expect(new Set(ofMachines.map(({ drift: { column } }) => column))).toEqual(new Set(['a', 'probability']))
    for (const { change, atMs, drift: found } of ofMachines) {
      expect(change).toBe('raised')
      // Two drifted days make an alarm.
      expect(atMs).toBe(startMs + 7 * dayMs)
      expect(found.effect).toBeCloseTo(found.psi * (found.column === 'a' ? 0.8 : 1), 12)
    }
  })

  test('finds a fleet that moved, and clears when it moves back', () => {
    const moved = { fromDay: 0, shift: 1.5, noiseFactor: 1, machines: 4 }
    const monitor = new DriftMonitor(reference, rules)
    const first = run(monitor, simulatedFleet({ ...quiet, days: 4, drift: moved }))
    expect(first.filter(({ deviceId }) => deviceId === null).map(({ drift: { column } }) => column)).toContain('a')
    expect(monitor.fleetReport()?.columns[0]).toMatchObject({ alarmed: true })
    const later = run(
      monitor,
      [...simulatedFleet({ ...quiet, days: 6 })].map((signal) => ({
        ...signal,
        windowStart: signal.windowStart + 4 * dayMs,
        windowEnd: signal.windowEnd + 4 * dayMs,
      })),
    )
    expect(later.filter(({ deviceId }) => deviceId === null).map(({ change }) => change)).toContain('cleared')
  })

  test('a feature that vanishes drifts, though no value is left to compare', () => {
    const monitor = new DriftMonitor(reference, rules)
    const findings = run(
      monitor,
      [...simulatedFleet({ ...quiet, days: 7 })].map((signal) =>
        signal.windowEnd > startMs + 4 * dayMs ? { ...signal, features: { ...signal.features, c: null } } : signal,
      ),
    )
    expect(findings.map(({ drift: { column } }) => column)).toEqual(findings.map(() => 'c'))
    expect(findings.some(({ deviceId }) => deviceId === null)).toBe(true)
  })

  test('neither machines read in another order nor a lagging one change the findings of a machine or the fleet (D1, D2)', () => {
    const signals = [
      ...simulatedFleet({ ...quiet, days: 6, drift: { fromDay: 4, shift: 2, noiseFactor: 1, machines: 2 } }),
    ]
    const inOrder = new DriftMonitor(reference, rules)
    for (const signal of signals) inOrder.alertSignal(signal)
    const random = seeded(11)
    const lagged = signals
      .map((signal) => ({ signal, key: signal.windowEnd + (signal.deviceId === 'm2' ? 30 * 3_600_000 : random()) }))
      .sort((a, b) => a.key - b.key)
    const mixed = new DriftMonitor(reference, rules)
    for (const { signal } of lagged) mixed.alertSignal(signal)
    const [fleet, mixedFleet] = [inOrder, mixed].map((monitor) => monitor.readUpTo(startMs + 9 * dayMs))
    expect(mixedFleet).toEqual(fleet)
    expect(mixed.fleetReport()).toEqual(inOrder.fleetReport())
    const byDevice = ({ devices }: DriftState): unknown => Object.fromEntries(devices)
    expect(byDevice(mixed.snapshot())).toEqual(byDevice(inOrder.snapshot()))
  })

  test('restored from a snapshot it goes on as if nothing had happened (D6)', () => {
    const signals = [
      ...simulatedFleet({ ...quiet, days: 8, drift: { fromDay: 4, shift: 3, noiseFactor: 1, machines: 2 } }),
    ]
    const straight = new DriftMonitor(reference, rules)
    const wanted = run(straight, signals)
    expect(wanted.length).toBeGreaterThan(0)
    for (const share of [0.1, 0.63, 0.9]) {
      // At a whole window of the fleet and a day's start, where `run` begins to count days.
      const cutMs = startMs + Math.floor(share * 8) * dayMs
      const before = signals.filter(({ windowEnd }) => windowEnd <= cutMs)
      const first = new DriftMonitor(reference, rules)
      const found = run(first, before)
      const text = JSON.stringify(first.snapshot())
      const restored = new DriftMonitor(reference, rules, JSON.parse(text) as DriftState)
      expect(JSON.stringify(restored.snapshot())).toBe(text)
      found.push(...run(restored, signals.slice(before.length)))
      expect(found).toEqual(wanted)
      expect(restored.snapshot()).toEqual(straight.snapshot())
    }
  })

  test('refuses a state of another baseline or of other rules, and takes one whose rules were written in another order', () => {
    const state = new DriftMonitor(reference, rules).snapshot()
    const [first, ...rest] = reference.features
    if (first === undefined) throw new Error('a reference has features')
    const edges = first.baseline.edges.map((edge) => edge + 1)
    const other = { ...reference, features: [{ ...first, baseline: { ...first.baseline, edges } }, ...rest] }
    expect(() => new DriftMonitor(other, rules, state)).toThrow('the baseline that made it')
    expect(() => new DriftMonitor(reference, { ...rules, persistence: { m: 1, n: 3 } }, state)).toThrow(
      'under the rules',
    )
    const reordered = Object.fromEntries(Object.entries(rules).reverse()) as unknown as typeof rules
    expect(new DriftMonitor(reference, reordered, state).deviceCount).toBe(0)
  })

  test('joins periods of a slow machine until there are windows enough (D4)', () => {
    const monitor = new DriftMonitor(reference, rules)
    const slow = [...simulatedFleet({ ...quiet, machines: 1, days: 12 })].filter(
      ({ windowEnd }) => (windowEnd / windowMs) % 3 === 0,
    )
    run(monitor, slow)
    // 96 windows a day: three days make a sample.
    expect(monitor.counters.devicePeriodsJudged).toBe(3)
  })

  test('keeps to its bounds and counts what is passed over (D3, D5)', () => {
    const monitor = new DriftMonitor(reference, { ...rules, devicesMax: 2 })
    const [one] = simulatedFleet(quiet)
    if (one === undefined) throw new Error('a fleet has windows')
    monitor.alertSignal({ ...one, revision: 1 })
    monitor.alertSignal({ ...one, model: { name: 'failure', version: '2' } })
    expect(monitor.counters.windows).toBe(0)
    for (const deviceId of ['x', 'y', 'z']) monitor.alertSignal({ ...one, deviceId })
    expect(monitor.deviceCount).toBe(2)
    expect(monitor.counters.devicesRefused).toBe(1)
    const onDay = (day: number) => ({ ...one, deviceId: `of day ${day}`, windowEnd: one.windowEnd + day * dayMs })
    for (let n = 3; n < rules.sampleMin; n++) monitor.alertSignal(onDay(0))
    for (let day = 1; day <= 127; day++) monitor.alertSignal(onDay(day))
    expect(monitor.counters.fleetPeriodsJudged).toBe(0)
    // One more: the first day, the only one with enough windows, is judged before it is due.
    monitor.alertSignal(onDay(128))
    expect(monitor.snapshot().periods.length).toBe(128)
    expect(monitor.counters).toMatchObject({ fleetPeriodsJudged: 1, windowsLate: 0 })
    monitor.alertSignal(onDay(0))
    expect(monitor.counters.windowsLate).toBe(1)
    monitor.readUpTo(startMs + 160 * dayMs)
    expect(monitor.snapshot().periods.length).toBe(0)
    monitor.alertSignal(one)
    expect(monitor.counters).toMatchObject({ windowsBehind: 0 })
  })

  test('a machine that was forgotten starts with a reference of its own', () => {
    const monitor = new DriftMonitor(reference, rules)
    run(monitor, simulatedFleet({ ...quiet, days: 5 }))
    expect(
      monitor
        .unlikeTraining('m0')
        ?.map(({ column }) => column)
        .sort(),
    ).toEqual(['a', 'b', 'c', 'probability'])
    expect(monitor.forget('m0')).toEqual([])
    expect(monitor.unlikeTraining('m0')).toBe(null)
    // Nothing of what it was is left, also not for another machine that comes meanwhile.
    const later = [...simulatedFleet({ ...quiet, machines: 1, days: 7 })].filter(
      ({ windowEnd }) => windowEnd > startMs + 6 * dayMs,
    )
    const anew = new DriftMonitor(reference, rules)
    for (const signal of later)
      for (const deviceId of ['another', 'm0'])
        for (const each of [monitor, anew]) each.alertSignal({ ...signal, deviceId })
    const of = (each: DriftMonitor): unknown =>
      each.snapshot().devices.filter(([deviceId]) => deviceId === 'another' || deviceId === 'm0')
    expect(of(monitor)).toEqual(of(anew))
  })
})
