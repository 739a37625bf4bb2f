import type { AlertSignal, ModelUpdate, Plan } from '@millwright/core'
import { activationInForce, type Engine, type SeenActivation } from '@millwright/engine'
import type { PlantStatus } from '@millwright/gateways'
import { release } from '../installation.ts'
import { summaryOf } from '../terminal/summary.ts'
import type { GaugeReading } from './metrics.ts'
import type { PackageJudge } from './published-models.ts'

/** High-risk alerts that the status page shows when it is opened. */
const latestAlertsMax = 30

/** Watches a plant from the main thread: what the status page and the metrics show. */
export class PlantObserver {
  readonly #plan: Plan
  readonly #engine: Engine
  readonly #judge: PackageJudge
  readonly #startedAt = Date.now()
  #latestAlerts: readonly AlertSignal[] = []
  /** When nothing in the log waited to be processed, last. */
  #caughtUpAt = Date.now()

  constructor(plan: Plan, engine: Engine, judge: PackageJudge) {
    this.#plan = plan
    this.#engine = engine
    this.#judge = judge
  }

  /** To be told of each high-risk alert as it becomes durable. */
  onHighRisk(alert: AlertSignal): void {
    this.#latestAlerts = [alert, ...this.#latestAlerts].slice(0, latestAlertsMax)
  }

  status(): PlantStatus {
    const stats = this.#engine.stats()
    const summary = summaryOf(stats.counters)
    const now = Date.now()
    const lagRecords = sum(stats.partitions, (partition) => partition.lagRecords)
    if (lagRecords === 0) this.#caughtUpAt = now
    return {
      plant: this.#plan.name,
      version: release,
      startedAt: this.#startedAt,
      now,
      counts: summary,
      devices: sum(stats.partitions, (partition) => partition.deviceCount),
      ...this.#models(now),
      // The age is that of the time since nothing waited, which the oldest waiting record cannot be older than.
      lag: { records: lagRecords, ageMs: lagRecords === 0 ? 0 : now - this.#caughtUpAt },
      disk: {
        usedBytes: stats.diskBytes,
        budgetBytes: this.#plan.retention.diskBytesMax,
        freeBytes: stats.diskFreeBytes,
      },
      latestAlerts: this.#latestAlerts,
    }
  }

  #models(nowMs: number): Pick<PlantStatus, 'model' | 'refusedModel'> {
    const activations = this.#engine.activations()
    const model = newest(activations.map((seen) => this.#judge.inForce(seen, nowMs)))
    const wanted = newest(activations.map((seen) => activationInForce(seen, nowMs)))
    const refusal = wanted === null ? null : this.#judge.refusal(wanted.sha256)
    return {
      model: model === null ? null : { name: model.name, version: model.version, activeFrom: model.activeFrom },
      refusedModel:
        wanted === null || refusal === null ? null : { name: wanted.name, version: wanted.version, refusal },
    }
  }

  /** What is in the way of taking readings in; `null` when nothing is. */
  notReady(): string | null {
    const { failure } = this.#engine
    if (failure !== null) return failure.message
    return this.#engine.stats().partitions.find(({ stalled }) => stalled !== null)?.stalled ?? null
  }

  gauges(): GaugeReading[] {
    const stats = this.#engine.stats()
    const plain = (name: string, help: string, value: number): GaugeReading => ({
      name,
      help,
      values: [{ labels: {}, value }],
    })
    const perPartition = (
      name: string,
      help: string,
      read: (partition: (typeof stats.partitions)[number]) => number | null,
    ): GaugeReading => ({
      name,
      help,
      values: stats.partitions.flatMap((partition) => {
        const value = read(partition)
        return value === null ? [] : [{ labels: { partition: String(partition.partition) }, value }]
      }),
    })
    return [
      perPartition('lag_records', 'records in the log that are not processed yet', (p) => p.lagRecords),
      perPartition('lag_bytes', 'bytes in the log that are not processed yet', (p) => p.lagBytes),
      perPartition('devices', 'devices that are not forgotten', (p) => p.deviceCount),
      perPartition('snapshot_age_seconds', 'since the last snapshot was durable', (p) =>
        p.snapshot.ageMs === null ? null : p.snapshot.ageMs / 1000,
      ),
      perPartition('snapshot_duration_seconds', 'of the last snapshot', (p) => p.snapshot.durationMs / 1000),
      perPartition('snapshot_bytes', 'of all files that a recovery reads', (p) => p.snapshot.byteLength),
      perPartition('snapshots_failed', 'snapshots that failed since the start', (p) => p.snapshot.failedCount),
      plain('unsynced_bytes', 'accepted at the door and not yet on disk', stats.unsyncedBytes),
      plain('backlog_bytes', 'durable in the log and not yet processed', stats.backlogBytes),
      plain('appends_pending', 'appends that wait to be durable', stats.pendingAppends),
      plain('appended_records', 'records appended since the start', stats.appendedRecords),
      plain('appends_refused_busy', 'appends refused since the start because too much waits', stats.refusedBusy),
      plain('appends_refused_disk_full', 'appends refused since the start by a full disk', stats.refusedDiskFull),
      plain('disk_used_bytes', 'of the data folder', stats.diskBytes),
      plain('disk_budget_bytes', 'that the data folder may take', this.#plan.retention.diskBytesMax),
      plain('disk_free_bytes', 'on the file system of the data folder', stats.diskFreeBytes),
      plain('retired_segments', 'segments that retention removed since the start', stats.retiredSegments),
      plain('clock_behind_seconds', 'how far the clock is behind the log', stats.clockBehindMs / 1000),
    ]
  }
}

/** The one published last. */
function newest(activations: readonly (SeenActivation | null)[]): ModelUpdate | null {
  const seen = activations.filter((activation) => activation !== null)
  return seen.toSorted((a, b) => b.updateOffset - a.updateOffset)[0]?.update ?? null
}

function sum<T>(items: readonly T[], read: (item: T) => number): number {
  return items.reduce((total, item) => total + read(item), 0)
}
