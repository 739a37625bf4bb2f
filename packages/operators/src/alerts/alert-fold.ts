import {
  type AlertClearCause,
  type AlertMark,
  type AlertSeverity,
  alertSeverities,
  type DevicePolicy,
  type MuteCause,
} from '@millwright/core'
import { type Counters, clearedCounter, mutedCounter } from '../counters.ts'
import { clearThresholdOf, thresholdOf } from './alert-policies.ts'
import {
  type AlertStates,
  alertHeld,
  alertReached,
  alertSeverity,
  alertSince,
  alertWindowCount,
} from './alert-states.ts'

/** One scored window, as the policy sees it. */
export interface ScoredWindow {
  readonly device: number
  readonly policy: DevicePolicy
  /** float32, widened. */
  readonly probability: number
  /** Threshold of the model's package. */
  readonly modelThreshold: number
  readonly startMs: number
  readonly endMs: number
  readonly revision: number
  /** Start that its result before had; of a revision only. */
  readonly replacesStartMs: number
  readonly muted: MuteCause | null
}

/**
 * Decides what becomes of devices' alerts: docs/guide/alerts.md.
 *
 * F1. Decisions are taken in the order of their causes, each from what was decided before: of a device's own windows, events and
 *     deadlines, and of nothing else. What was said once is never taken back.
 * F2. A severity is reached at a window above its threshold, when as many as the policy wants of the last windows were.
 * F3. Only the newest window makes an alert less grave or ends it. A revision takes the place of its window's answer; where that
 *     is not kept, it changes nothing.
 * F4. With the end of an alert, and at a muted window, the answers before are forgotten: an alert begins with answers of its own.
 */
export class AlertFold {
  readonly #states: AlertStates
  readonly #counters: Counters

  constructor(states: AlertStates, counters: Counters) {
    this.#states = states
    this.#counters = counters
  }

  /** Decides on a window; `null` where no alert stood before it, nor stands after it. */
  window(window: ScoredWindow): AlertMark | null {
    const { device, policy, endMs, muted } = window
    const states = this.#states
    const answer = answerOf(window)
    if (muted !== null) {
      if (answer > 0) this.#counters.add(mutedCounter(muted))
      return this.#clear(device, muted)
    }
    const place = this.#keep(window, answer)
    const before = states.get(device, alertSeverity)
    if (place < 0) return before === 0 ? null : this.#holding(device, before)

    if (before > 0 && answer > 0) states.set(device, alertHeld, Math.max(states.get(device, alertHeld), endMs))
    const reached = this.#reached(device, policy, answer, before)
    if (reached > before) return this.#reach(device, reached, before, endMs)
    if (before === 0) return null
    const isNewest = place === states.get(device, alertWindowCount) - 1
    if (!isNewest) return this.#holding(device, before)

    const { clearAfterMs, minimumDurationMs } = policy
    if (clearAfterMs !== null && endMs - states.get(device, alertHeld) >= clearAfterMs)
      return this.#clear(device, 'timed')
    const kept = keptSeverity(window, before)
    if (kept < before && endMs - states.get(device, alertReached) >= minimumDurationMs) {
      if (kept === 0) return this.#clear(device, 'probability')
      states.set(device, alertReached, endMs)
      states.set(device, alertSeverity, kept)
      this.#counters.add(`alerts_deescalated_total{severity="${severityName(kept)}"}`)
    }
    return this.#holding(device, before)
  }

  /** Ends an alert without a window. Returns what it was; `null` where none stands. */
  end(
    device: number,
    cause: Exclude<AlertClearCause, 'probability'>,
  ): { readonly severity: AlertSeverity; readonly since: number } | null {
    const severity = this.#states.get(device, alertSeverity)
    const since = this.#states.get(device, alertSince)
    if (severity > 0 || cause === 'forgotten') this.#states.forget(device)
    if (severity === 0) return null
    this.#counters.add(clearedCounter(cause))
    return { severity: severityName(severity), since }
  }

  /** Notes the answer of a window. Returns its place among those kept; −1 for a revision of one that is not. */
  #keep({ device, policy, startMs, revision, replacesStartMs }: ScoredWindow, answer: number): number {
    const states = this.#states
    if (revision > 0) {
      const place = states.find(device, replacesStartMs)
      if (place >= 0) states.replace(device, place, startMs, answer)
      return place
    }
    states.append(device, startMs, answer, policy.windows.of)
    return states.get(device, alertWindowCount) - 1
  }

  /** The gravest severity that a window with this answer reaches beyond `before`; `before` where it reaches none. */
  #reached(device: number, { levels, windows }: DevicePolicy, answer: number, before: number): number {
    let reached = before
    for (const { severity } of levels) {
      const code = severityCode(severity)
      if (code > reached && code <= answer && this.#countOf(device, code) >= windows.high) reached = code
    }
    return reached
  }

  #countOf(device: number, code: number): number {
    let count = 0
    for (let window = this.#states.get(device, alertWindowCount) - 1; window >= 0; window--)
      if (this.#states.answer(device, window) >= code) count += 1
    return count
  }

  #reach(device: number, reached: number, before: number, endMs: number): AlertMark {
    const states = this.#states
    states.set(device, alertSeverity, reached)
    states.set(device, alertReached, endMs)
    const severity = severityName(reached)
    if (before > 0) {
      this.#counters.add(`alerts_escalated_total{severity="${severity}"}`)
      return this.#holding(device, before)
    }
    states.set(device, alertSince, endMs)
    states.set(device, alertHeld, endMs)
    this.#counters.add(`alerts_raised_total{severity="${severity}"}`)
    return { mark: 'raising', severity, since: endMs }
  }

  #holding(device: number, before: number): AlertMark {
    const code = this.#states.get(device, alertSeverity)
    const mark = { mark: 'holding', severity: severityName(code), since: this.#states.get(device, alertSince) } as const
    return code === before ? mark : { ...mark, before: severityName(before) }
  }

  #clear(device: number, cause: NonNullable<AlertMark['cause']>): AlertMark | null {
    const code = this.#states.get(device, alertSeverity)
    const since = this.#states.get(device, alertSince)
    this.#states.forget(device)
    if (code === 0) return null
    this.#counters.add(clearedCounter(cause))
    return { mark: 'clearing', severity: severityName(code), since, cause }
  }
}

/** The gravest severity whose threshold the window is above; 0 for none. */
function answerOf({ policy, probability, modelThreshold }: ScoredWindow): number {
  const level = policy.levels.findLast((candidate) => probability > thresholdOf(candidate, modelThreshold))
  return level === undefined ? 0 : severityCode(level.severity)
}

/** The severity up to `standing` that an alert keeps at this window; 0 where it keeps none. */
function keptSeverity({ policy, probability, modelThreshold }: ScoredWindow, standing: number): number {
  const level = policy.levels.findLast(
    (candidate) =>
      severityCode(candidate.severity) <= standing && probability > clearThresholdOf(candidate, modelThreshold),
  )
  return level === undefined ? 0 : severityCode(level.severity)
}

function severityCode(severity: AlertSeverity): number {
  return alertSeverities.indexOf(severity) + 1
}

function severityName(code: number): AlertSeverity {
  return alertSeverities[code - 1] as AlertSeverity
}
