import type { AlertClearCause, AlertSeverity, Contribution, ModelName } from './records.ts'

/**
 * The messages on `case-commands` and `cases` (docs/formats/topics.md): transfer objects only.
 */

/** What a person can do to a case. */
export const caseCommandKinds = ['acknowledge', 'assign', 'comment', 'resolve', 'reopen', 'link'] as const

export type CaseCommandKind = (typeof caseCommandKinds)[number]

/** What a person can say of an alert when a case is resolved. */
export const caseVerdictKinds = ['failure-confirmed', 'false-alarm', 'unclear'] as const

export type CaseVerdictKind = (typeof caseVerdictKinds)[number]

interface CommandHead {
  /** The same id again is the same command. */
  readonly id: string
  readonly caseId: string
  readonly deviceId: string
  /** Who; `null` where it was not said. */
  readonly by: string | null
  /** The `sequence` of the case that the person saw; `null`: whatever it is by now. */
  readonly seen: number | null
  readonly comment: string | null
}

/** One record on `case-commands`; key = deviceId. Its time is its append time. */
export type CaseCommand =
  | (CommandHead & { readonly command: 'acknowledge' | 'comment' | 'reopen' })
  | (CommandHead & { readonly command: 'assign'; readonly assignee: string | null })
  | (CommandHead & { readonly command: 'link'; readonly to: string })
  | (CommandHead & {
      readonly command: 'resolve'
      readonly verdict: CaseVerdictKind
      /** What was found, for people. */
      readonly found: string | null
      /** Event time, epoch milliseconds; only where it failed. */
      readonly failureAt: number | null
      /** The span of event time that the verdict is about, `(from, to]`; `null`: the case's own. */
      readonly from: number | null
      readonly to: number | null
    })

/** Why a command changed nothing. Permanent codes. */
export const caseRefusals = [
  'malformed',
  'unknown-case',
  'stale',
  'already-resolved',
  'already-acknowledged',
  'not-resolved',
  'another-open',
  'links-max',
  'linked-already',
  'span',
] as const

export type CaseRefusal = (typeof caseRefusals)[number]

export const caseStatuses = ['open', 'acknowledged', 'resolved'] as const

export type CaseStatus = (typeof caseStatuses)[number]

/** What can happen to a case, as `change` of a message on `cases` says it. */
export const caseChanges = [
  'opened',
  'raised-again',
  'escalated',
  'de-escalated',
  'cleared',
  'silent',
  'returned',
  'acknowledged',
  'assigned',
  'commented',
  'resolved',
  'reopened',
  'linked',
  'expired',
] as const

export type CaseChange = (typeof caseChanges)[number]

export interface CaseVerdict {
  readonly kind: CaseVerdictKind
  readonly found: string | null
  readonly failureAt: number | null
  /** Windows that end in `(from, to]`, event time. */
  readonly from: number
  readonly to: number
}

/** One window of a case's alerts. */
export interface CaseEvidence {
  readonly windowEnd: number
  readonly probability: number
}

/** A case as it stands. `at` times are on the append-time scale, `from`, `to`, `windowEnd` event time; epoch milliseconds. */
export interface CaseState {
  readonly status: CaseStatus
  /** Whether its alert stands. */
  readonly alerting: boolean
  readonly device: 'sending' | 'silent' | 'forgotten'
  /** Of the alert, as it is or last was. */
  readonly severity: AlertSeverity
  readonly openedAt: number
  readonly acknowledgedAt: number | null
  readonly resolvedAt: number | null
  readonly assignee: string | null
  /** `null` where it is not resolved, or expired. */
  readonly verdict: CaseVerdict | null
  /** Start of the window that opened it, and end of the newest that alerted. */
  readonly from: number
  readonly to: number
  /** Of the newest window of its alerts that was at high risk. */
  readonly model: ModelName
  /** The newest window of its alerts, the one that cleared them included. */
  readonly windowEnd: number
  readonly probability: number
  readonly peak: CaseEvidence
  readonly features: Readonly<Record<string, number | null>>
  /** Of the newest window that had reasons. */
  readonly why: readonly Contribution[]
  /** `caseId` of the resolved case whose alert went on standing, and so opened this one; `null` where an alert was raised. */
  readonly follows: string | null
  readonly links: readonly string[]
  /** Newest last; the first window and the newest others, at most `limits.caseEvidenceMax`. */
  readonly evidence: readonly CaseEvidence[]
}

/** A case as people see it: as it stands, and the last that became of it. */
export interface CaseView extends CaseState {
  readonly caseId: string
  readonly deviceId: string
  /** Of the last change; windows that only add to the evidence are no change. */
  readonly sequence: number
  readonly change: CaseChange
  /** Append time of the last change. */
  readonly changedAt: number
}

/** One message on `cases`: the change, and the whole case after it. `caseId` and `sequence` name it for good. */
export interface CaseMessage extends CaseState {
  readonly caseId: string
  readonly deviceId: string
  /** 0 for the first message of a case; each later one counts up. */
  readonly sequence: number
  readonly change: CaseChange
  /** Append time of the record that caused it. */
  readonly at: number
  /** Of the command that caused it; `null` where no command did, or it did not say. */
  readonly by: string | null
  readonly command: string | null
  /** Of an alert that cleared. */
  readonly cause: AlertClearCause | null
  readonly comment: string | null
}
