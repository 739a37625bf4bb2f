import { type AlertSeverity, type AlertSignal, alertSeverities } from '@millwright/core'

/** What is true of a device's alert after a window. */
export interface AlertStanding {
  readonly standing: boolean
  readonly severity: AlertSeverity
}

/**
 * Reads what a window made of its device's alert.
 *
 * @param marked Whether the project has an alert policy beyond one threshold: then a window without a mark has no alert, whatever its risk.
 */
export function alertStanding({ alert, status }: AlertSignal, marked: boolean): AlertStanding {
  if (alert !== undefined) return { standing: alert.mark !== 'clearing', severity: alert.severity }
  return { standing: !marked && status === 'High risk of failure', severity: 'warning' }
}

/** Greater than 0 where `a` is the graver. */
export function compareSeverities(a: AlertSeverity, b: AlertSeverity): number {
  return alertSeverities.indexOf(a) - alertSeverities.indexOf(b)
}
