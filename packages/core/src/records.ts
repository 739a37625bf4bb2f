/**
 * The messages on the topics: transfer objects only. Absent is `null` or a missing key, never `undefined`.
 * Times are epoch milliseconds of the named scale; numbers are printed as the shortest decimal that reads back the same.
 */

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

/** How grave an alert is, in ascending order. Source of the words: ITU-T X.733, perceived severity. */
export const alertSeverities = ['warning', 'minor', 'major', 'critical'] as const

export type AlertSeverity = (typeof alertSeverities)[number]

/** Why a device raises no alerts for a while. */
export const muteCauses = ['maintenance', 'stopped'] as const

export type MuteCause = (typeof muteCauses)[number]

/**
 * What ended an alert. `probability`: a window at or below the clear threshold. `timed`: nothing held it up for too long.
 * `forgotten`: its device was.
 */
export const alertClearCauses = ['probability', 'timed', ...muteCauses, 'forgotten'] as const

export type AlertClearCause = (typeof alertClearCauses)[number]

/** What a window did to its device's alert, where the project has a policy beyond one threshold. Exactly these keys in this order. */
export interface AlertMark {
  readonly mark: 'raising' | 'holding' | 'clearing'
  /** Of a clearing alert, that which it had. */
  readonly severity: AlertSeverity
  /** `windowEnd` of the window that raised it. */
  readonly since: number
  /** The severity before, only where this window changed it. */
  readonly before?: AlertSeverity
  /** Only of a clearing alert. */
  readonly cause?: Exclude<AlertClearCause, 'forgotten'>
}

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
  /** Only under a policy beyond one threshold, where the device has an alert after this window or loses it by it. */
  readonly alert?: AlertMark
  /** Only where the window lies in maintenance or a stop: it raises nothing. */
  readonly muted?: MuteCause
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

/**
 * What a person found. `failure-confirmed` and `missed-failure` say the same of the machine (it was failing) and differ in
 * what they say of the alerts; `withdrawn` takes an earlier record of the same id back.
 */
export const verdictKinds = ['failure-confirmed', 'missed-failure', 'false-alarm', 'unclear', 'withdrawn'] as const

export type VerdictKind = (typeof verdictKinds)[number]

/** One record on `maintenance-feedback`; key = deviceId. docs/formats/topics.md has the form, docs/decisions/verdicts.md the rules. */
export interface MaintenanceFeedback {
  /** Of the verdict, not of the record: a correction has the same id, also where it names another span. */
  readonly id: string
  /** 0 for the first record of an id; a greater one replaces a smaller one. */
  readonly revision: number
  readonly deviceId: string
  readonly verdict: VerdictKind
  /** The span of event time that the verdict is about, epoch milliseconds: windows that end in `(from, to]`. */
  readonly from: number
  readonly to: number
  /** When it failed, or was found failing: `from..`; `null` for the end of the span. Only where it failed. */
  readonly failureAt: number | null
  /** When the verdict was taken down, append-time scale, epoch milliseconds; not before `from`. */
  readonly recordedAt: number
  /** The model whose alert was judged; `null` where none was, or where it is not known. */
  readonly model: ModelName | null
}

/** Permanent codes of what is wrong with a record. */
export const feedbackProblems = [
  'feedback-too-long',
  'feedback-not-json',
  'feedback-not-an-object',
  'feedback-id',
  'feedback-revision',
  'feedback-device-id',
  'feedback-verdict',
  'feedback-time',
  'feedback-span',
  'feedback-failure-at',
  'feedback-model',
] as const

export type FeedbackProblem = (typeof feedbackProblems)[number]

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
export interface DevicePresence {
  readonly deviceId: string
  readonly kind: 'device-silent' | 'device-returned' | 'device-forgotten'
  /** Append-time scale, except that a returned device's is the record's append time. */
  readonly at: number
}

/** On `device-status`: an alert ended without a window. */
export interface AlertCleared {
  readonly deviceId: string
  readonly kind: 'alert-cleared'
  /** Append-time scale; where a file is replayed, the time of the event that ended it. */
  readonly at: number
  readonly cause: Exclude<AlertClearCause, 'probability'>
  readonly severity: AlertSeverity
  readonly since: number
}

export type DeviceStatus = DevicePresence | AlertCleared

/** On `model-updates`, one per publish or rollback: from when which package is in force. */
export interface ModelUpdate extends ModelName {
  /** SHA-256 of the package file, lower-case hex: the name of its bytes in the model store. */
  readonly sha256: string
  /** Append-time scale, milliseconds. */
  readonly activeFrom: number
}
