import type { AlertSeverity, CaseState, CaseView } from '@millwright/core'

/** A case, and what is needed to judge a command to it. */
export interface WatchedCase extends CaseView {
  /** Sequence of the last change that a person made; −1 where nobody did. */
  readonly personSequence: number
  /** Ids of the newest commands that changed it. */
  readonly commandIds: readonly string[]
}

/** What is known of a device with an alert that stands, or a case that is remembered. */
export interface CaseDevice {
  readonly deviceId: string
  /** Whether its alert stands. */
  alerting: boolean
  /** Which alert that is: end of the window that raised it, event time; `null` where none stands, or windows have no marks. */
  alertSince: number | null
  /** Event time, epoch milliseconds. */
  newestWindowEnd: number
  /** What a person has answered by resolving the case of the alert that stands; `null`: not answered. */
  answered: AnsweredAlert | null
  /** Oldest first; at most one that is not resolved, which is then the last opened or the one reopened. */
  cases: WatchedCase[]
}

/** An alert that stands on although its case is resolved. */
export interface AnsweredAlert {
  readonly caseId: string
  /** A graver one opens a case. */
  readonly severity: AlertSeverity
  /** A window of the alert that ends then or later opens a case; event time, epoch milliseconds. */
  readonly raiseFrom: number
}

export function unresolved({ cases }: CaseDevice): WatchedCase | null {
  return cases.find(({ status }) => status !== 'resolved') ?? null
}

/** The case alone, with the keys of a message in their order. */
export function caseState(of: CaseState): CaseState {
  const { status, alerting, device, severity, openedAt, acknowledgedAt, resolvedAt, assignee, verdict } = of
  const { from, to, model, windowEnd, probability, peak, features, why, follows, links, evidence } = of
  return {
    ...{ status, alerting, device, severity, openedAt, acknowledgedAt, resolvedAt, assignee, verdict },
    ...{ from, to, model, windowEnd, probability, peak, features, why, follows, links, evidence },
  }
}

/** The case as people see it. */
export function caseView(of: WatchedCase): CaseView {
  const { caseId, deviceId, sequence, change, changedAt } = of
  return { caseId, deviceId, sequence, change, changedAt, ...caseState(of) }
}
