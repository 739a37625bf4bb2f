import type { CaseChange } from './cases.ts'
import type { AlertSeverity } from './records.ts'

/**
 * What a project says of where changes of cases go: one node a channel, as the plan has it. Durations are milliseconds. A secret is
 * never here, only where it is found.
 */

/** Where a secret is found when the plant starts. */
export type SecretPlace =
  | { readonly from: 'environment'; readonly name: string }
  /** The file's first line; relative to the project. */
  | { readonly from: 'file'; readonly path: string }

/** What every channel says of the changes that it wants. */
export interface NotifyChannelBase {
  /** Of the channel; unique in the plant. It names the saved position, the metrics' label, and what a command is about. */
  readonly name: string
  readonly on: readonly CaseChange[]
  /** Milder ones are left out. */
  readonly minSeverity: AlertSeverity
  /** Device ids; `*` stands for any characters. */
  readonly devices: readonly string[]
  /** What the plant itself says of windows that were older than this when it said it is history, and is not told. */
  readonly maxAgeMs: number
  /** Where a channel without a saved position begins: with what comes (`now`), with the oldest record (`beginning`), or at a time, ISO 8601 with a zone. */
  readonly since: string
  /** PEM of the authorities that are trusted, a file relative to the project; `null` for those that Node trusts. */
  readonly ca: string | null
  /** Whether what is not encrypted may leave this machine. */
  readonly insecure: boolean
}

/** POST of JSON, signed. */
export interface WebhookChannel extends NotifyChannelBase {
  readonly kind: 'webhook'
  readonly url: string
  readonly secret: SecretPlace
}

/** Mail by SMTP. */
export interface EmailChannel extends NotifyChannelBase {
  readonly kind: 'email'
  readonly host: string
  readonly port: number
  /** `tls` from the first byte, `starttls` before anything is said, `none` in the clear. */
  readonly security: 'tls' | 'starttls' | 'none'
  readonly login: { readonly user: string; readonly password: SecretPlace } | null
  readonly from: string
  readonly to: readonly string[]
  /** After a mail, what comes in this time is one mail together. */
  readonly atMostEveryMs: number
}

/** PUBLISH with quality of service 1. */
export interface MqttChannel extends NotifyChannelBase {
  readonly kind: 'mqtt'
  readonly url: string
  /** `{plant}` and `{device}` stand for the names. */
  readonly topic: string
  readonly protocol: '3.1.1' | '5'
  readonly login: { readonly user: string; readonly password: SecretPlace } | null
}

/** A topic of a Kafka cluster. */
export interface KafkaChannel extends NotifyChannelBase {
  readonly kind: 'kafka'
  /** `HOST:PORT` of some brokers. */
  readonly servers: readonly string[]
  readonly topic: string
  readonly tls: boolean
  readonly login: {
    readonly user: string
    readonly password: SecretPlace
    readonly mechanism: 'SCRAM-SHA-512' | 'SCRAM-SHA-256' | 'PLAIN'
  } | null
}

/** Alertmanager's API, version 2: cases that alert are alerts there. */
export interface AlertmanagerChannel extends NotifyChannelBase {
  readonly kind: 'alertmanager'
  /** Base addresses of all members of the cluster. */
  readonly urls: readonly string[]
  /** Of HTTP's basic authentication, the same at each member. */
  readonly login: { readonly user: string; readonly password: SecretPlace } | null
  /** How often an alert that stands is told again. */
  readonly repeatEveryMs: number
}

export type NotifyChannel = WebhookChannel | EmailChannel | MqttChannel | KafkaChannel | AlertmanagerChannel
