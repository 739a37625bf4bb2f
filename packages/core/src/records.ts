/**
 * The messages on the topics: transfer objects only. Absent is `null` or a missing key, never `undefined`.
 * Times are epoch milliseconds of the named scale; numbers are printed as the shortest decimal that reads back the same.
 */

import type { FeedbackProblem } from './maintenance-feedback.ts'

/** Names one model of one version, as published. */
export interface ModelName {
  readonly name: string
  readonly version: string
}

/** How much one feature moved the margin (log-odds) of one prediction. */
export interface Contribution {
  readonly feature: string
  /** The feature's value in its own unit; `null` when missing. */
  readonly value: number | null
  /** Change of the margin against the model's average; positive raises the probability. */
  readonly contribution: number
}

export type AlertStatus = 'High risk of failure' | 'Normal'

/** One scored window on `alert-signals`; key = deviceId. Exactly these keys in this order. */
export interface AlertSignal {
  readonly deviceId: string
  /** float32 in 0..1, printed so that it reads back as the same float32. */
  readonly probability: number
  readonly status: AlertStatus
  readonly windowStart: number
  readonly windowEnd: number
  /** 0 for the first result of a window; each later one counts up. */
  readonly revision: number
  readonly model: ModelName
  readonly features: Readonly<Record<string, number | null>>
  /** Largest contributions first; only where the status is high risk. */
  readonly why?: readonly Contribution[]
}

/** One closed window on `device-features`: what a model is trained on. Values are float64, before rounding to float32. */
export interface DeviceFeatures {
  readonly deviceId: string
  readonly windowStart: number
  readonly windowEnd: number
  readonly revision: number
  /** Accepted readings in the window. */
  readonly readingCount: number
  readonly features: Readonly<Record<string, number | null>>
}

/** A reading all (or, with hopping windows, some) of whose windows were closed. It is kept, and counted. */
export interface LateReading {
  readonly deviceId: string
  readonly timestamp: number
  /** The device's clock when it came. */
  readonly deviceClock: number
  readonly channels: Readonly<Record<string, number | null>>
}

/** Why a record was refused. Permanent codes; `docs/formats/topics.md` explains each. */
export const deadLetterReasons = [
  'not-json',
  'not-utf8',
  'not-an-object',
  'too-deep',
  'line-too-long',
  'device-id-missing',
  'device-id-not-a-string',
  'device-id-empty',
  'device-id-too-long',
  'device-id-control-character',
  'timestamp-missing',
  'timestamp-not-a-time',
  'timestamp-out-of-range',
  'timestamp-looks-like-seconds',
  'channel-not-a-number',
  'channel-not-finite',
  'no-channel',
  'future',
  'jump-not-confirmed',
  'devices-max',
  'event-type-missing',
  'function-failed',
] as const

export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** A refused record on `dead-letters`. */
export interface DeadLetter {
  readonly reason: DeadLetterReason | FeedbackProblem
  /** For a person: the field, what was found, what is wanted. */
  readonly message: string
  /** Where it stood, without the log's offset (that is the engine's): the topic it came on. */
  readonly topic: string
  /** Known when the id could be read. */
  readonly deviceId: string | null
  /** The original bytes, as text where they are UTF-8, else base64 (`encoding` says which); cut at `deadLetterBytesMax`. */
  readonly bytes: string
  readonly encoding: 'utf-8' | 'base64'
  /** Length of the original in bytes, before cutting; `lineBytesMax + 1` for any longer line: how much longer is not known. */
  readonly byteLength: number
}

/** On `device-events`: an error, maintenance, a part change. Key = deviceId. */
export interface DeviceEvent {
  readonly deviceId: string
  readonly timestamp: number
  /** For example `error`, `maintenance`, `part-change`. */
  readonly type: string
  readonly detail?: string
}

/** On `device-status`: what became of a device as such. */
export interface DeviceStatus {
  readonly deviceId: string
  readonly kind: 'device-silent' | 'device-returned' | 'device-forgotten'
  /** Append-time scale, except that a returned device's is the record's append time. */
  readonly at: number
}

/** On `model-updates`, one per publish or rollback: from when which package is in force. */
export interface ModelUpdate extends ModelName {
  /** SHA-256 of the package file, lower-case hex: the name of its bytes in the model store. */
  readonly sha256: string
  /** Append-time scale, milliseconds. */
  readonly activeFrom: number
}
