/**
 * Proof: drift alarms on a fleet without drift stay under one per machine and month; how many days seeded drifts take to
 * be found, on the machine and on the fleet; and what watching 100,000 machines takes.
 *
 *   node --expose-gc scripts/proofs/watching.ts [--machines 20] [--days 60] [--watched 100000] [--seed 1]
 */
import { argv, cpuUsage, exit, memoryUsage } from 'node:process'
import { DriftMonitor } from '../../packages/monitoring/src/drift/drift-monitor.ts'
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

const machines = numberArgument('machines', 20)
const days = numberArgument('days', 60)
const watched = numberArgument('watched', 100_000)
const seed = numberArgument('seed', 1)
const alarmsPerMachineMonthMax = 1
let failures = 0

for (const correlation of [0.5, 0.9, 0.98]) {
  const { ofMachines, ofFleet } = watch({ seed, machines, days, correlation })
  const rate = (ofMachines.length / machines / days) * 30
  if (rate >= alarmsPerMachineMonthMax) failures += 1
  say(
    `no drift, correlation ${correlation}: ${rate.toFixed(3)} alarms per machine-month, ${ofFleet.length} of the fleet`,
  )
}

const driftDay = 10
const drifts: readonly (readonly [string, SeededDrift])[] = [
  ['shift of 1 on all', { fromDay: driftDay, shift: 1, noiseFactor: 1, machines }],
  ['shift of 2 on all', { fromDay: driftDay, shift: 2, noiseFactor: 1, machines }],
  ['shift of 3 on one', { fromDay: driftDay, shift: 3, noiseFactor: 1, machines: 1 }],
  ['noise three times on all', { fromDay: driftDay, shift: 0, noiseFactor: 3, machines }],
]
for (const correlation of [0.5, 0.9])
  for (const [name, drift] of drifts) {
    const { ofMachines, ofFleet } = watch({ seed: seed + 1, machines, days: driftDay + 14, correlation, drift })
    const after = [...new Map(ofMachines.filter(isOfA).map((found) => [found.deviceId, found.atMs])).values()]
      .map((atMs) => (atMs - startMs) / dayMs - driftDay)
      .sort((a, b) => a - b)
    const fleet = ofFleet.find(isOfA)
    const found =
      after.length === 0
        ? 'on no machine'
        : `after ${after[after.length >> 1]} days on ${after.length} of ${drift.machines} machines`
    say(
      `${name}, correlation ${correlation}: found ${found}; ` +
        `fleet ${fleet === undefined ? 'not' : `after ${(fleet.atMs - startMs) / dayMs - driftDay} days`}`,
    )
  }

watchMany()
exit(failures === 0 ? 0 : 1)

function watch(options: FleetOptions) {
  // What the model was trained on: the same plant, other weeks.
  const reference = referenceOf(
    simulatedFleet({ ...options, days: 10, drift: { fromDay: 99, shift: 0, noiseFactor: 1, machines: 0 } }),
  )
  const monitor = new DriftMonitor(reference)
  const findings = []
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

function isOfA({ drift: { column } }: { readonly drift: { readonly column: string } }): boolean {
  return column === 'a'
}

/** Some hours of windows of many machines, through the verdict join and then the drift monitor. */
function watchMany(): void {
  const joinedHours = 6
  measure('verdict join', joinedHours * 12 * watched, () => {
    const join = new VerdictJoin()
    for (let window = 1; window <= joinedHours * 12; window++)
      for (let machine = 0; machine < watched; machine++) {
        // One machine in a hundred flaps.
        const probability = machine % 100 === 0 && window % 3 === 0 ? 0.9 : 0.02
        join.alertSignal(signalOf(`machine-${machine}`, startMs + window * windowMs, probability, { sizeMs: windowMs }))
      }
    return join
  })
  const reference = referenceOf(simulatedFleet({ seed, machines: 4, days: 4, correlation: 0.5 }))
  const some = [...simulatedFleet({ seed, machines: 20, days: 1, correlation: 0.5 })].slice(0, 20 * 12)
  measure('drift of 3 features', 12 * watched, () => {
    const monitor = new DriftMonitor(reference)
    for (let window = 0; window < 12; window++)
      for (let machine = 0; machine < watched; machine++) {
        const like = some[window * 20 + (machine % 20)]
        if (like !== undefined) monitor.alertSignal({ ...like, deviceId: `machine-${machine}` })
      }
    return monitor
  })
  say(`(${windowsPerDay} windows a day of each: ${((watched * windowsPerDay) / 86_400).toFixed(0)} signals a second)`)
}

function measure(name: string, signalCount: number, fill: () => { readonly deviceCount: number }): void {
  const before = heapBytes()
  const began = cpuUsage()
  const filled = fill()
  const spent = perSignal(began, signalCount)
  const heap = heapBytes() - before
  say(`${name}: ${filled.deviceCount} machines, ${spent}, ${megabytes(heap)}`)
}

function heapBytes(): number {
  global.gc?.()
  return memoryUsage().heapUsed
}

function microseconds(began: NodeJS.CpuUsage): number {
  const { user, system } = cpuUsage(began)
  return user + system
}

function perSignal(began: NodeJS.CpuUsage, count: number): string {
  return `${(microseconds(began) / count).toFixed(2)} µs of CPU a signal`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function numberArgument(name: string, fallback: number): number {
  const at = argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(argv[at + 1])
}

function say(line: string): void {
  process.stdout.write(`watching: ${line}\n`)
}
