/**
 * Proof: drift alarms on a fleet without drift stay under one per machine and month; seeded drifts are found on the machine and on
 * the fleet within the days that docs/decisions/drift-and-estimates.md says; and what is kept of a machine stays within its bytes.
 *
 *   node --expose-gc scripts/proofs/watching.ts [--machines 20] [--days 60] [--watched 20000] [--seed 1]
 */
import { cpuUsage, memoryUsage } from 'node:process'
import { type DriftFinding, DriftMonitor } from '../../packages/monitoring/src/drift/drift-monitor.ts'
import { DataQuality } from '../../packages/monitoring/src/quality/data-quality.ts'
import { dayMs, signalOf, startMs } from '../../packages/monitoring/src/testing/random-plant.ts'
import {
  type FleetOptions,
  referenceOf,
  type SeededDrift,
  simulatedFleet,
  windowMs,
  windowsPerDay,
} from '../../packages/monitoring/src/testing/simulated-fleet.ts'
import { VerdictJoin } from '../../packages/monitoring/src/verdicts/verdict-join.ts'
import { numberArgument, type Proof, prove } from './support/proof.ts'

const machines = numberArgument('machines', 20)
const days = numberArgument('days', 60)
const watched = numberArgument('watched', 20_000)
const seed = numberArgument('seed', 1)
const alarmsPerMachineMonthMax = 1
const driftDay = 10
const daysAfterDrift = 14

/** A drift, and by when it is found; days count from its start. */
interface Expected {
  readonly correlation: number
  readonly name: string
  readonly drift: SeededDrift
  /** On at least this share of the machines that drift, half of them by so many days. */
  readonly share: number
  readonly medianDays: number
  /** `null`: the fleet has not drifted. */
  readonly fleetDays: number | null
}

const onAll = { fromDay: driftDay, shift: 0, noiseFactor: 1, machines }
const shiftOf1 = { name: 'shift of 1 on all', drift: { ...onAll, shift: 1 } }
const shiftOf2 = { name: 'shift of 2 on all', drift: { ...onAll, shift: 2 } }
const shiftOnOne = { name: 'shift of 3 on one', drift: { ...onAll, shift: 3, machines: 1 } }
const noise = { name: 'noise three times on all', drift: { ...onAll, noiseFactor: 3 } }
const expected: readonly Expected[] = [
  { correlation: 0.5, ...shiftOf1, share: 1, medianDays: 2, fleetDays: 2 },
  { correlation: 0.5, ...shiftOf2, share: 1, medianDays: 2, fleetDays: 2 },
  { correlation: 0.5, ...shiftOnOne, share: 1, medianDays: 2, fleetDays: null },
  { correlation: 0.5, ...noise, share: 1, medianDays: 2, fleetDays: 2 },
  { correlation: 0.9, ...shiftOf1, share: 0.75, medianDays: 5, fleetDays: 2 },
  { correlation: 0.9, ...shiftOf2, share: 0.95, medianDays: 2, fleetDays: 2 },
  { correlation: 0.9, ...shiftOnOne, share: 1, medianDays: 2, fleetDays: null },
  { correlation: 0.9, ...noise, share: 0.2, medianDays: 10, fleetDays: 2 },
]

await prove('watching', 300, async ({ check, say }) => {
  for (const correlation of [0.5, 0.9, 0.98]) {
    const { ofMachines, ofFleet } = watch({ seed, machines, days, correlation })
    const rate = (ofMachines.length / machines / days) * 30
    check(
      rate < alarmsPerMachineMonthMax && ofFleet.length === 0,
      `no drift, correlation ${correlation}: under ${alarmsPerMachineMonthMax} alarm per machine-month (${rate.toFixed(3)}), none of the fleet (${ofFleet.length})`,
    )
  }
  for (const each of expected) checkFound(each, check)
  checkBytes(check, say)
})

function checkFound({ correlation, name, drift, share, medianDays, fleetDays }: Expected, check: Proof['check']): void {
  const { ofMachines, ofFleet } = watch({
    seed: seed + 1,
    machines,
    days: driftDay + daysAfterDrift,
    correlation,
    drift,
  })
  const raised = ofMachines.filter(isOfA)
  const first = new Map<string | null, number>()
  for (const { deviceId, atMs } of raised) if (!first.has(deviceId)) first.set(deviceId, daysAfter(atMs))
  const found = [...first.values()].sort((a, b) => a - b)
  const median = found[found.length >> 1] ?? Number.POSITIVE_INFINITY
  const ofA = ofFleet.find(isOfA)
  const fleet = ofA === undefined ? null : daysAfter(ofA.atMs)
  check(
    found.length >= share * drift.machines && median <= medianDays,
    `${name}, correlation ${correlation}: on ${share * drift.machines} of ${drift.machines} machines (${found.length}), half of them by day ${medianDays} (${median})`,
  )
  check(
    fleetDays === null ? fleet === null : fleet !== null && fleet <= fleetDays,
    `${name}, correlation ${correlation}: on the fleet ${fleetDays === null ? 'never' : `by day ${fleetDays}`} (${fleet ?? 'never'})`,
  )
}

function daysAfter(atMs: number): number {
  return (atMs - startMs) / dayMs - driftDay
}

function isOfA({ drift: { column } }: DriftFinding): boolean {
  return column === 'a'
}

/** Alarms raised over a fleet's windows, by a monitor whose model was trained on the same plant in other weeks. */
function watch(options: FleetOptions): { readonly ofMachines: DriftFinding[]; readonly ofFleet: DriftFinding[] } {
  const reference = referenceOf(
    simulatedFleet({ ...options, days: 10, drift: { fromDay: 99, shift: 0, noiseFactor: 1, machines: 0 } }),
  )
  const monitor = new DriftMonitor(reference)
  const findings: DriftFinding[] = []
  for (const signal of simulatedFleet(options)) {
    findings.push(...monitor.alertSignal(signal))
    if (signal.windowEnd % dayMs === 0) findings.push(...monitor.readUpTo(signal.windowEnd + 2 * 3_600_000 - dayMs))
  }
  const raised = findings.filter(({ change }) => change === 'raised')
  return {
    ofMachines: raised.filter(({ deviceId }) => deviceId !== null),
    ofFleet: raised.filter(({ deviceId }) => deviceId === null),
  }
}

/** What is kept of a machine: windows of many machines through each part, a day and a window long. */
function checkBytes(check: Proof['check'], say: Proof['say']): void {
  const reference = referenceOf(simulatedFleet({ seed, machines: 4, days: 4, correlation: 0.5 }))
  const some = [...simulatedFleet({ seed, machines: 20, days: 2, correlation: 0.5 })]
  const channels = ['a', 'b', 'c'].map((feature) => ({
    name: feature,
    min: null,
    max: null,
    mayStandStill: false,
    evidence: [{ feature, of: 'level' as const }],
  }))
  const each = function* (): Generator<(typeof some)[number]> {
    for (let window = 0; window < windowsPerDay + 1; window++)
      for (let machine = 0; machine < watched; machine++) {
        const like = some[window * 20 + (machine % 20)]
        if (like !== undefined) yield { ...like, deviceId: `machine-${machine}` }
      }
  }
  const drift = bytesOf(() => {
    const monitor = new DriftMonitor(reference)
    for (const signal of each()) monitor.alertSignal(signal)
    return monitor
  })
  const quality = bytesOf(() => {
    const dataQuality = new DataQuality(channels)
    for (const signal of each()) dataQuality.deviceFeatures({ ...signal, readingCount: 300 })
    return dataQuality
  })
  const verdicts = bytesOf(() => {
    const join = new VerdictJoin()
    for (let window = 1; window <= windowsPerDay; window++)
      for (let machine = 0; machine < watched; machine++) {
        // One machine in a hundred flaps.
        const probability = machine % 100 === 0 && window % 3 === 0 ? 0.9 : 0.02
        join.alertSignal(signalOf(`machine-${machine}`, startMs + window * windowMs, probability, { sizeMs: windowMs }))
      }
    return join
  })
  say(
    `µs of CPU a window, the test's own share included: drift ${drift.microseconds}, data quality ${quality.microseconds}, verdicts ${verdicts.microseconds}`,
  )
  const claim = (name: string, bytes: number, bytesMax: number): void =>
    check(bytes <= bytesMax, `${name}: at most ${bytesMax} bytes a machine (${bytes.toFixed(0)})`)
  claim('drift of 3 features and the probability, 10 bins each, with an own reference', drift.bytes, 950)
  claim('data quality of 3 channels, with a last period', quality.bytes, 500)
  claim('verdicts, one run of windows', verdicts.bytes, 400)
}

function bytesOf(fill: () => unknown): { readonly bytes: number; readonly microseconds: string } {
  const before = bytesInUse()
  const began = cpuUsage()
  const filled = fill()
  const { user, system } = cpuUsage(began)
  const bytes = (bytesInUse() - before) / watched
  // Until here it is in use.
  if (filled === null) throw new Error('something was filled')
  return { bytes, microseconds: ((user + system) / watched / windowsPerDay).toFixed(2) }
}

function bytesInUse(): number {
  if (global.gc === undefined) throw new Error('the proof wants `node --expose-gc`')
  // Memory of arrays is given back behind a collection, and counted with the next.
  for (let time = 0; time < 3; time++) global.gc()
  const { heapUsed, arrayBuffers } = memoryUsage()
  return heapUsed + arrayBuffers
}
