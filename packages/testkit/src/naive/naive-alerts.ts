import {
  type AlertClearCause,
  type AlertMark,
  type AlertRules,
  type AlertSeverity,
  alertSeverities,
  type DevicePolicy,
  type MuteCause,
} from '@millwright/core'
import type { NaiveEvent } from './naive-features.ts'

/** Every answer since the alert last ended or was muted, and the alert that stands. */
export interface NaiveAlert {
  answers: { startMs: number; severity: AlertSeverity | null }[]
  standing: {
    readonly since: number
    severity: AlertSeverity
    severitySince: number
    heldUntil: number
  } | null
}

export interface NaiveScored {
  readonly startMs: number
  readonly endMs: number
  readonly revision: number
  /** Start of the result before. */
  readonly replacesStartMs: number | null
  readonly probability: number
  readonly modelThreshold: number
  readonly muted: MuteCause | null
}

type Count = (name: string) => void

export function newNaiveAlert(): NaiveAlert {
  return { answers: [], standing: null }
}

/** The policy of a device, each pattern as a regular expression. */
export function naivePolicy({ policy, devices }: AlertRules, deviceId: string): DevicePolicy {
  const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const matches = (pattern: string): boolean =>
    new RegExp(`^${pattern.split('*').map(literal).join('[^]*')}$`).test(deviceId)
  return devices.find(({ match }) => match.some(matches))?.policy ?? policy
}

/** Whether a window is muted: asked at each of its milliseconds at which something may change. */
export function naiveMute(
  rules: AlertRules,
  events: readonly NaiveEvent[],
  startMs: number,
  endMs: number,
): MuteCause | null {
  const turns = events.map(({ timestampMs }) => timestampMs).filter((timeMs) => timeMs > startMs && timeMs < endMs)
  const muting = rules.mutes.find((_, index) =>
    [startMs, ...turns].some((timeMs) => isOn(rules, index, events, timeMs)),
  )
  return muting?.cause ?? null
}

/** What an event begins at the device's clock. */
export function naiveMuteBegun(
  rules: AlertRules,
  events: readonly NaiveEvent[],
  event: NaiveEvent,
  clockMs: number,
): MuteCause | null {
  const nowMs = Math.max(clockMs, event.timestampMs)
  const begun = rules.mutes.find(
    ({ beginType }, index) => beginType === event.type && isOn(rules, index, events, nowMs),
  )
  return begun?.cause ?? null
}

function isOn(rules: AlertRules, index: number, events: readonly NaiveEvent[], timeMs: number): boolean {
  const { beginType, endType, atMostMs, settleMs } = rules.mutes[index] as AlertRules['mutes'][number]
  const past = events.filter((event) => event.timestampMs <= timeMs).sort((a, b) => a.timestampMs - b.timestampMs)
  const begun = past.findLast(({ type }) => type === beginType)
  const ended = past.findLast(({ type }) => type === endType)
  if (ended !== undefined && timeMs - ended.timestampMs < settleMs) return true
  if (begun === undefined || (ended !== undefined && ended.timestampMs >= begun.timestampMs)) return false
  return atMostMs === null || timeMs - begun.timestampMs < atMostMs + settleMs
}

/** Decides on one window, by the words of docs/guide/alerts.md. */
export function naiveDecision(
  alert: NaiveAlert,
  policy: DevicePolicy,
  window: NaiveScored,
  count: Count,
): AlertMark | null {
  const { probability, modelThreshold, endMs, muted } = window
  const rank = (severity: AlertSeverity | null): number => (severity === null ? -1 : alertSeverities.indexOf(severity))
  const levels = policy.levels.map(({ severity, threshold, clearThreshold }) => {
    const raiseAbove = threshold ?? modelThreshold
    return { severity, raiseAbove, stayAbove: Math.min(clearThreshold ?? raiseAbove, raiseAbove) }
  })
  const answer = levels.filter(({ raiseAbove }) => probability > raiseAbove).at(-1)?.severity ?? null
  if (muted !== null) {
    if (answer !== null) count(`alerts_muted_total{cause="${muted}"}`)
    return cleared(alert, muted, count)
  }

  let known: number
  if (window.revision === 0) {
    alert.answers.push({ startMs: window.startMs, severity: answer })
    known = alert.answers.length - 1
  } else {
    known = alert.answers.findLastIndex(({ startMs }) => startMs === window.replacesStartMs)
    if (known < alert.answers.length - policy.windows.of) known = -1
    if (known >= 0) alert.answers[known] = { startMs: window.startMs, severity: answer }
  }
  const { standing } = alert
  if (known < 0) return standing === null ? null : holding(standing)

  const last = alert.answers.slice(-policy.windows.of)
  const reached = levels.findLast(({ severity }) => {
    const enough = last.filter((other) => rank(other.severity) >= rank(severity)).length >= policy.windows.high
    return rank(answer) >= rank(severity) && enough
  })
  if (standing === null) {
    if (reached === undefined) return null
    const { severity } = reached
    alert.standing = { since: endMs, severity, severitySince: endMs, heldUntil: endMs }
    count(`alerts_raised_total{severity="${severity}"}`)
    return { mark: 'raising', severity, since: endMs }
  }
  if (answer !== null) standing.heldUntil = Math.max(standing.heldUntil, endMs)
  const before = standing.severity
  if (reached !== undefined && rank(reached.severity) > rank(before)) {
    standing.severity = reached.severity
    standing.severitySince = endMs
    count(`alerts_escalated_total{severity="${standing.severity}"}`)
    return { ...holding(standing), before }
  }
  if (known < alert.answers.length - 1) return holding(standing)
  if (policy.clearAfterMs !== null && endMs >= standing.heldUntil + policy.clearAfterMs)
    return cleared(alert, 'timed', count)
  if (endMs < standing.severitySince + policy.minimumDurationMs) return holding(standing)
  const kept = levels.findLast(({ severity, stayAbove }) => rank(severity) <= rank(before) && probability > stayAbove)
  if (kept === undefined) return cleared(alert, 'probability', count)
  if (kept.severity === before) return holding(standing)
  standing.severity = kept.severity
  standing.severitySince = endMs
  count(`alerts_deescalated_total{severity="${standing.severity}"}`)
  return { ...holding(standing), before }
}

/** Ends an alert without a window; `null` where none stands. */
export function naiveEnd(
  alert: NaiveAlert,
  cause: Exclude<AlertClearCause, 'probability'>,
  count: Count,
): { readonly severity: AlertSeverity; readonly since: number } | null {
  const { standing } = alert
  if (standing === null) return null
  Object.assign(alert, newNaiveAlert())
  count(`alerts_cleared_total{cause="${cause}"}`)
  return { severity: standing.severity, since: standing.since }
}

function cleared(alert: NaiveAlert, cause: NonNullable<AlertMark['cause']>, count: Count): AlertMark | null {
  const { standing } = alert
  Object.assign(alert, newNaiveAlert())
  if (standing === null) return null
  count(`alerts_cleared_total{cause="${cause}"}`)
  return { mark: 'clearing', severity: standing.severity, since: standing.since, cause }
}

function holding({ severity, since }: NonNullable<NaiveAlert['standing']>): AlertMark {
  return { mark: 'holding', severity, since }
}
