import type { AlertSignal, Plan } from '@millwright/core'
import type { PlantStatus } from '@millwright/gateways'
import type { GroupOffsets, KafkaAlertFeed, KafkaIngest, TopicEnds } from '@millwright/gateways/kafka'
import { release } from '../installation.ts'
import { buildInfo, modelGauges } from '../plant/common-metrics.ts'
import type { GaugeReading } from '../plant/metrics.ts'
import type { KafkaModels } from './model-updates.ts'

/** High-risk alerts that the status page shows when it is opened. */
const latestAlertsMax = 30
/** The model in force is looked up anew after so long, when somebody asks. */
const modelFreshMs = 2_000

/** Watches a plant of which only the gateways run here: what the status page and the metrics can know. */
export class KafkaObserver {
  readonly #plan: Plan
  readonly #ingest: KafkaIngest
  readonly #feed: KafkaAlertFeed
  readonly #ends: TopicEnds
  readonly #group: GroupOffsets
  readonly #models: KafkaModels
  readonly #startedAt = Date.now()
  #latestAlerts: readonly AlertSignal[] = []
  #alertsHigh = 0
  #model: PlantStatus['model'] = null
  #modelKnown = false
  #modelKnownAtMs = Number.NEGATIVE_INFINITY

  constructor(parts: {
    readonly plan: Plan
    readonly ingest: KafkaIngest
    readonly feed: KafkaAlertFeed
    readonly ends: TopicEnds
    /** Of the operators. */
    readonly group: GroupOffsets
    readonly models: KafkaModels
  }) {
    this.#plan = parts.plan
    this.#ingest = parts.ingest
    this.#feed = parts.feed
    this.#ends = parts.ends
    this.#group = parts.group
    this.#models = parts.models
  }

  /** To be told of each high-risk alert that comes. */
  onHighRisk(alert: AlertSignal): void {
    this.#alertsHigh += 1
    this.#latestAlerts = [alert, ...this.#latestAlerts].slice(0, latestAlertsMax)
  }

  async status(): Promise<PlantStatus> {
    const topics = await this.#ends.ends()
    this.#lookUpModel()
    return {
      plant: this.#plan.name,
      version: release,
      startedAt: this.#startedAt,
      now: Date.now(),
      counts: {
        readingsIn: this.#ingest.stats.appendedRecords,
        readingsAccepted: null,
        readingsDropped: null,
        deadLetters: null,
        redelivered: null,
        late: null,
        windows: null,
        windowsUnscored: null,
        alertsHigh: this.#alertsHigh,
      },
      devices: null,
      model: this.#model,
      refusedModel: null,
      lag: null,
      disk: null,
      topics,
      latestAlerts: this.#latestAlerts,
    }
  }

  /** What is in the way of taking readings in; `null` when nothing is. */
  async notReady(): Promise<string | null> {
    await this.#ends.ends()
    return (this.#ingest.stats.failure ?? this.#ends.failure ?? this.#feed.failure)?.message ?? null
  }

  counters(): Record<string, number> {
    const { appendedRecords, heartbeats, refusedBusy } = this.#ingest.stats
    return {
      kafka_appended_records_total: appendedRecords,
      kafka_heartbeats_total: heartbeats,
      kafka_appends_refused_busy_total: refusedBusy,
      kafka_alerts_seen_high_total: this.#alertsHigh,
    }
  }

  /** @param topics As `TopicEnds.ends` gave them. */
  gauges(topics: PlantStatus['topics'] = []): GaugeReading[] {
    this.#lookUpModel()
    const ends = new Map(topics.map(({ topic, endOffsets }) => [topic, endOffsets]))
    return [
      buildInfo(this.#plan, 'flink'),
      // Before the first look-up nothing is known, which is not the same as none in force.
      ...(this.#modelKnown ? modelGauges(this.#plan, this.#model) : []),
      {
        name: 'kafka_lag_records',
        help: 'offsets between what the operators committed and the end of the topic: an upper bound of the records between',
        values: this.#group.known.flatMap(({ topic, partition, offset }) => {
          const end = ends.get(topic)?.[partition]
          return end === undefined
            ? []
            : [{ labels: { topic, partition: String(partition) }, value: Math.max(0, end - offset) }]
        }),
      },
      {
        name: 'kafka_pending_bytes',
        help: 'taken in and not acknowledged by Kafka yet',
        values: [{ labels: {}, value: this.#ingest.stats.pendingBytes }],
      },
      {
        name: 'kafka_topic_end_offset',
        help: 'offset that the next committed record has at least',
        values: topics.flatMap(({ topic, endOffsets }) =>
          endOffsets.map((value, partition) => ({ labels: { topic, partition: String(partition) }, value })),
        ),
      },
    ]
  }

  /** In the background: a status is not held up by it. */
  #lookUpModel(): void {
    if (performance.now() - this.#modelKnownAtMs < modelFreshMs) return
    this.#modelKnownAtMs = performance.now()
    this.#models.inForce().then(
      (update) => {
        this.#modelKnown = true
        this.#model =
          update === null ? null : { name: update.name, version: update.version, activeFrom: update.activeFrom }
      },
      // Kafka is away, which `notReady` says; the model in force is still the last known.
      () => undefined,
    )
  }
}
