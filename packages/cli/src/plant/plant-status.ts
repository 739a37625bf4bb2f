import type { AlertSignal, ModelUpdate, Plan } from '@millwright/core'
import { activationInForce, type Engine, type SeenActivation } from '@millwright/engine'
import type { PlantStatus } from '@millwright/gateways'
import { release } from '../installation.ts'
import { summaryOf } from '../terminal/summary.ts'
import { buildInfo, modelGauges } from './common-metrics.ts'
import { engineGauges, engineHistograms } from './engine-metrics.ts'
import type { GaugeReading, HistogramReading } from './metrics.ts'
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
    // The heartbeat is a device of the plant's own and no machine.
    const hasHeartbeat = (stats.counters['heartbeat_readings_total'] ?? 0) > 0
    const now = Date.now()
    const lagRecords = sum(stats.partitions, (partition) => partition.lagRecords)
    if (lagRecords === 0) this.#caughtUpAt = now
    return {
      plant: this.#plan.name,
      version: release,
      startedAt: this.#startedAt,
      now,
      counts: summary,
      devices: Math.max(0, sum(stats.partitions, (partition) => partition.deviceCount) - (hasHeartbeat ? 1 : 0)),
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

  /** Partitions that the disk keeps from being processed, and why. */
  stalled(): { readonly partition: number; readonly why: string }[] {
    return this.#engine
      .stats()
      .partitions.flatMap(({ partition, stalled }) => (stalled === null ? [] : [{ partition, why: stalled }]))
  }

  gauges(): GaugeReading[] {
    const nowMs = Date.now()
    return [
      buildInfo(this.#plan, 'embedded'),
      ...modelGauges(this.#plan, this.#models(nowMs).model),
      ...engineGauges(this.#engine.stats(), this.#plan, nowMs),
    ]
  }

  histograms(): HistogramReading[] {
    return engineHistograms(this.#engine.stats())
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
