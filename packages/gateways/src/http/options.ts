import type { AlertSignal, FeedbackPort, IngestPort, ModelName, ModelUpdate } from '@millwright/core'
import type { LineEvents } from '../door/line-events.ts'
import type { Door } from '../door.ts'
import type { AlertFeed } from './alert-feed.ts'
import type { CaseDesk } from './case-desk.ts'
import type { DeliveryDesk } from './delivery-routes.ts'
import type { ListenOptions } from './listen-rules.ts'

/** What the gateway needs of the plant behind it. */
export interface HttpGatewayOptions extends ListenOptions {
  /** Names under which clients reach the plant, beside `localhost`, addresses and, where it is open to others, its own. */
  readonly hostNames?: readonly string[]
  readonly door: Door
  readonly ingest: IngestPort
  readonly feedback: FeedbackPort
  /** Latest time that a verdict may speak of now, epoch milliseconds: what is to come nobody has found. */
  readonly verdictsUntilMs: () => number
  readonly plant: PlantView
  readonly alerts: AlertFeed
  readonly models: ModelDesk
  /** Absent or `null`: no cases are kept here. */
  readonly cases?: CaseDesk | null
  /** Absent or `null`: the plant tells nobody. */
  readonly deliveries?: DeliveryDesk | null
  /** Absent or `null`: no event of several machines can be told here. */
  readonly lineEvents?: LineEvents | null
  /** Told of errors that are our own fault, which a client sees as 500 without their inside. */
  readonly onError?: (error: unknown, where: string) => void
  /** How long `close` waits for requests in flight before it cuts them off. Default 3 s. */
  readonly closeGraceMs?: number
  /** Between comments on idle streams. Default 15 s. */
  readonly heartbeatMs?: number
}

/** What can be seen of the plant. */
export interface PlantView {
  /** `null` when readings are taken in; else what is in the way, for a person. */
  notReady(): string | null | Promise<string | null>
  /** Prometheus text. */
  metrics(): string | Promise<string>
  status(): PlantStatus | Promise<PlantStatus>
  /**
   * What is known of the models that score here, for `/api/model`: a JSON document, `null` where nothing is known yet or nobody
   * watches. Absent: as `null`.
   */
  model?(): object | null
}

/** What `/api/status` answers and the status page shows. Times are epoch milliseconds, sizes bytes. */
export interface PlantStatus {
  readonly plant: string
  readonly version: string
  readonly startedAt: number
  readonly now: number
  /** `null`: not known here, as for a gateway whose operators run elsewhere. */
  readonly counts: {
    /** Where the operators run elsewhere: lines that this gateway has handed on since its start. */
    readonly readingsIn: number
    readonly readingsAccepted: number | null
    /** By cleaning rule. */
    readonly readingsDropped: Readonly<Record<string, number>> | null
    /** By reason. */
    readonly deadLetters: Readonly<Record<string, number>> | null
    readonly redelivered: number | null
    readonly late: number | null
    readonly windows: number | null
    readonly windowsUnscored: number | null
    /** Where the operators run elsewhere: those that this gateway has seen since its start. */
    readonly alertsHigh: number
  }
  /** `null`: not known here. */
  readonly devices: number | null
  /** What windows that close now are scored by; where partitions differ for a moment, the newest. */
  readonly model: (ModelName & { readonly activeFrom: number }) | null
  /** What would be in force had the plan not changed so that it refuses it; `null` where there is none such. */
  readonly refusedModel: (ModelName & { readonly refusal: ModelRefusal }) | null
  /** `null`: not known here. */
  readonly lag: {
    /** Records in the log that were not processed yet. */
    readonly records: number
    /** How old the oldest of them is, by append time; 0 when there is none. */
    readonly ageMs: number
  } | null
  /** `null`: the records are not on a disk of this machine. */
  readonly disk: { readonly usedBytes: number; readonly budgetBytes: number; readonly freeBytes: number } | null
  /** Where the topics are Kafka's: the offset that the next committed record of each partition has at least. */
  readonly topics?: readonly { readonly topic: string; readonly endOffsets: readonly number[] }[]
  /** The latest high-risk alerts, newest first; a few dozen at most. */
  readonly latestAlerts: readonly AlertSignal[]
}

/** Where models come in and are looked up. */
export interface ModelDesk {
  /** Newest first. */
  list(): readonly ListedModel[] | Promise<readonly ListedModel[]>
  /**
   * Publishes a package.
   *
   * @throws A MillwrightError with `retry: 'never'` when it is refused; `details.reason` or else its code says why.
   */
  publish(packageBytes: Uint8Array): Promise<ModelUpdate>
  /**
   * Goes back to the model before the one in force.
   *
   * @throws A MillwrightError with `retry: 'never'` when there is none.
   */
  rollback(): Promise<ModelUpdate>
}

/** A model as `GET /api/models` lists it. */
export interface ListedModel extends ModelUpdate {
  /**
   * `scheduled`: its time has not come. `superseded`: a later one is in force. `refused`: the plan has changed since it was
   * published and does not take it: it is as if it had never been published.
   */
  readonly state: 'in-force' | 'scheduled' | 'superseded' | 'refused'
  /** In force in these partitions only, as for a moment around its time; all of them where this is not said. */
  readonly partitions?: readonly number[]
  /** Where `state` is `refused`. */
  readonly refusal?: ModelRefusal
}

/** Why a plan does not take a package. */
export interface ModelRefusal {
  /** Permanent code; docs/formats/model-package.md. */
  readonly reason: string
  /** For a person: what was found and what is wanted. */
  readonly message: string
}
