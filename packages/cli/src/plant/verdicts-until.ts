import type { Plan } from '@millwright/core'

/**
 * Latest time that a verdict may speak of now, epoch milliseconds: people's clocks, as machines', may go ahead of this one by `maxClockAhead`.
 *
 * By the wall clock and not the log's, which stays ahead for as long as it was wrong once.
 */
export function verdictsUntilMs({ time }: Pick<Plan, 'time'>): number {
  return Date.now() + time.maxClockAheadMs
}
