import type { Plan } from '@millwright/core'

/**
 * Prints everything of a plan that decides results, with object keys in order and functions as their source, so that
 * two plans give the same text exactly when they give the same results. Engines hash it to know whose state they hold.
 * Sources, sinks, channels of notifications, retention, the heartbeat, lines and the CSV format are left out: they do not change what a log
 * means.
 */
export function describePlan(plan: Plan): string {
  const { sources, sinks, notify, retention, heartbeat, lines, csv, ...decisive } = plan
  return JSON.stringify(decisive, (_key, value: unknown) => {
    if (typeof value === 'function') return `function ${String(value)}`
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    return value
  })
}
