import type { AlertSignal, ModelName } from '@millwright/core'
import {
  type DriftFinding,
  DriftMonitor,
  type DriftState,
  defaultDriftRules,
  driftComparison,
} from '../drift/drift-monitor.ts'
import type { DriftReference } from '../drift/drift-reference.ts'
import { ModelKeys } from '../model-keys.ts'
import type { ModelDrift, ModelMachineDrift } from './watch-report.ts'

/**
 * Drift of the model versions that score: a monitor for each.
 *
 * Invariants
 *
 * F1. At most `versionsMax` versions have a monitor, those that scored last; one more takes the place of the one that has not scored
 *     for longest.
 * F2. A version without a baseline has none, and is asked for again when another version has scored in between.
 */
const versionsMax = 4
const none: readonly DriftFinding[] = []

interface WatchedVersion {
  readonly model: ModelName
  readonly monitor: DriftMonitor
  /** Machines whose alarm stands, by column. */
  readonly machinesAlarmed: Map<string, number>
}

export interface DriftWatchState {
  /** The one that scored last stands last. */
  readonly versions: readonly {
    readonly model: ModelName
    readonly state: DriftState
    readonly machinesAlarmed: readonly (readonly [column: string, count: number])[]
  }[]
}

export class DriftWatch {
  readonly #referenceOf: (model: ModelName) => DriftReference | null
  /** In the order in which they scored last. */
  readonly #versions = new Map<string, WatchedVersion>()
  readonly #keys = new ModelKeys()
  #lastKey = ''
  #last: WatchedVersion | null = null

  constructor(referenceOf: (model: ModelName) => DriftReference | null, state?: DriftWatchState) {
    this.#referenceOf = referenceOf
    for (const { model, state: stored, machinesAlarmed } of state?.versions ?? []) {
      const reference = referenceOf(model)
      // Another package under the same name and version, or none any more: what was counted has nothing to be compared with.
      if (reference === null || JSON.stringify(driftComparison(reference)) !== JSON.stringify(stored.comparedWith))
        continue
      const monitor = new DriftMonitor(reference, defaultDriftRules, stored)
      this.#versions.set(this.#keys.of(model), { model, monitor, machinesAlarmed: new Map(machinesAlarmed) })
    }
  }

  alertSignal(signal: AlertSignal): readonly DriftFinding[] {
    const version = this.#versionOf(signal.model)
    if (version === null) return none
    return this.#count(version, version.monitor.alertSignal(signal))
  }

  /** A machine is gone: its alarms with it, and what was known of it. */
  deviceForgotten(deviceId: string): void {
    for (const { monitor, machinesAlarmed } of this.#versions.values())
      for (const column of monitor.forget(deviceId)) machinesAlarmed.set(column, (machinesAlarmed.get(column) ?? 0) - 1)
  }

  /** See {@link DriftMonitor.readUpTo}. */
  readUpTo(timeMs: number): DriftFinding[] {
    return [...this.#versions.values()].flatMap((version) => this.#count(version, version.monitor.readUpTo(timeMs)))
  }

  report(model: ModelName): ModelDrift | null {
    const version = this.#versions.get(this.#keys.of(model))
    if (version === undefined) return null
    const { windows, fleetPeriodsJudged, devicePeriodsJudged, alarmsRaised } = version.monitor.counters
    return {
      fleet: version.monitor.fleetReport(),
      machinesAlarmed: Object.fromEntries([...version.machinesAlarmed].filter(([, count]) => count > 0)),
      windows,
      fleetPeriodsJudged,
      devicePeriodsJudged,
      alarmsRaised,
    }
  }

  /** What is known of one machine, the version that scored last first; those that know nothing of it are left out. */
  machineReports(deviceId: string): ModelMachineDrift[] {
    return [...this.#versions.values()]
      .flatMap(({ model, monitor }) => {
        const found = monitor.machineReport(deviceId)
        return found === null ? [] : [{ model, ...found }]
      })
      .reverse()
  }

  snapshot(): DriftWatchState {
    return this.#state((monitor) => monitor.snapshot())
  }

  /** {@link snapshot} but for the lists of machines, which are empty. */
  stateWithoutMachines(): DriftWatchState {
    return this.#state((monitor) => monitor.stateWithoutMachines())
  }

  /** The machines of each version of {@link snapshot}, in its order, one at a time. */
  machineStates(): Iterable<DriftState['devices'][number]>[] {
    return [...this.#versions.values()].map(({ monitor }) => monitor.machineStates())
  }

  #state(stateOf: (monitor: DriftMonitor) => DriftState): DriftWatchState {
    return {
      versions: [...this.#versions.values()].map(({ model, monitor, machinesAlarmed }) => ({
        model,
        state: stateOf(monitor),
        machinesAlarmed: [...machinesAlarmed],
      })),
    }
  }

  #versionOf(model: ModelName): WatchedVersion | null {
    const key = this.#keys.of(model)
    // Most signals are of the version of the one before.
    if (key === this.#lastKey) return this.#last
    this.#lastKey = key
    const known = this.#versions.get(key) ?? this.#made(model)
    this.#last = known
    if (known === null) return null
    this.#versions.delete(key)
    this.#versions.set(key, known)
    for (const oldest of this.#versions.keys()) if (this.#versions.size > versionsMax) this.#versions.delete(oldest)
    return known
  }

  #made(model: ModelName): WatchedVersion | null {
    const reference = this.#referenceOf(model)
    return reference === null ? null : { model, monitor: new DriftMonitor(reference), machinesAlarmed: new Map() }
  }

  #count({ machinesAlarmed }: WatchedVersion, findings: readonly DriftFinding[]): readonly DriftFinding[] {
    for (const { deviceId, change, drift } of findings) {
      if (deviceId === null) continue
      const count = machinesAlarmed.get(drift.column) ?? 0
      machinesAlarmed.set(drift.column, count + (change === 'raised' ? 1 : -1))
    }
    return findings
  }
}
