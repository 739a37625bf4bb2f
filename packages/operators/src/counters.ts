import {
  type AlertClearCause,
  alertClearCauses,
  deadLetterReasons,
  type MuteCause,
  type OperatorCounters,
  type Plan,
} from '@millwright/core'
import { policiesOf } from './alerts/alert-policies.ts'

/** Counters without a label; each starts at 0 so that a metric exists before its first event. */
const counterNames = [
  'readings_in_total',
  'readings_accepted_total',
  'redelivered_total',
  'late_readings_total',
  'windows_closed_total',
  'window_revisions_total',
  'windows_unscored_total',
  'heartbeat_readings_total',
  'heartbeat_windows_total',
  'window_readings_not_kept_total',
  'alerts_high_total',
  'alerts_normal_total',
  'devices_silent_total',
  'devices_returned_total',
  'devices_forgotten_total',
  'device_events_in_total',
  'device_events_unused_total',
  'device_events_late_total',
  'device_events_redelivered_total',
  'device_events_not_kept_total',
  'model_activations_total',
  'model_activations_late_total',
  'timers_failed_total',
] as const

/** Monotone counts by permanent metric name. The meaning of each is in docs/formats/topics.md. */
export class Counters {
  readonly #values = new Map<string, number>()

  constructor(plan: Plan) {
    for (const name of counterNames) this.#values.set(name, 0)
    for (const rule of plan.cleaning) this.#values.set(ruleCounter(rule), 0)
    for (const reason of deadLetterReasons) this.#values.set(deadLetterCounter(reason), 0)
    for (const name of alertCounters(plan)) this.#values.set(name, 0)
  }

  add(name: string, by = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + by)
  }

  toRecord(): OperatorCounters {
    return Object.fromEntries(this.#values)
  }

  /** Goes on from counts taken earlier. */
  restore(counters: OperatorCounters): void {
    for (const [name, value] of Object.entries(counters)) this.#values.set(name, value)
  }
}

/** What a policy beyond one threshold counts; of severities those that the plan has. */
function* alertCounters({ alert: { rules } }: Plan): Generator<string> {
  if (rules === undefined) return
  const severities = new Set(policiesOf(rules).flatMap(({ levels }) => levels.map(({ severity }) => severity)))
  for (const severity of severities)
    for (const change of ['raised', 'escalated', 'deescalated']) yield `alerts_${change}_total{severity="${severity}"}`
  for (const cause of alertClearCauses) yield clearedCounter(cause)
  for (const { cause } of rules.mutes) yield mutedCounter(cause)
}

export function clearedCounter(cause: AlertClearCause): string {
  return `alerts_cleared_total{cause="${cause}"}`
}

export function mutedCounter(cause: MuteCause): string {
  return `alerts_muted_total{cause="${cause}"}`
}

/** Returns the counter of what a cleaning rule did: readings dropped, or values made missing. */
export function ruleCounter(rule: { readonly name: string; readonly onBad: 'drop' | 'missing' }): string {
  const name = rule.onBad === 'drop' ? 'readings_dropped_total' : 'values_removed_total'
  // Label values are escaped as the Prometheus text format wants it.
  const label = rule.name.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `${name}{rule="${label}"}`
}

export function deadLetterCounter(reason: string): string {
  return `dead_letters_total{reason="${reason}"}`
}
