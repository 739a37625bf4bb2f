import { type AlertSeverity, alertSeverities } from '@millwright/core'
import type { CaseBook, RefusedCommand } from './case-book.ts'
import type { CaseTotals } from './case-totals.ts'

/** How many cases there are, and how they fare. */
export interface CaseReport {
  /** Cases that are not resolved, by severity; every severity is there. */
  readonly open: Readonly<Record<AlertSeverity, OpenCases>>
  /** Append time at which the oldest case that is not resolved was opened, epoch milliseconds; `null` where there is none. */
  readonly oldestOpenedAt: number | null
  /** The same of those that nobody has ever taken. */
  readonly oldestUntakenAt: number | null
  readonly totals: CaseTotals
  /** The newest commands that changed nothing, newest first; at most fifty. */
  readonly refusals: readonly RefusedCommand[]
}

export interface OpenCases {
  /** Of them nobody has taken. */
  readonly open: number
  readonly acknowledged: number
}

/** Looks at every case that is not resolved: to be called when asked, not per record. */
export function caseReport(book: CaseBook): CaseReport {
  const open = Object.fromEntries(
    alertSeverities.map((severity) => [severity, { open: 0, acknowledged: 0 }]),
  ) as Record<AlertSeverity, { open: number; acknowledged: number }>
  let oldestOpenedAt: number | null = null
  let oldestUntakenAt: number | null = null
  for (const { status, severity, openedAt, acknowledgedAt } of book.unresolved()) {
    if (status === 'resolved') continue
    open[severity][status] += 1
    oldestOpenedAt = Math.min(openedAt, oldestOpenedAt ?? openedAt)
    if (acknowledgedAt === null) oldestUntakenAt = Math.min(openedAt, oldestUntakenAt ?? openedAt)
  }
  return { open, oldestOpenedAt, oldestUntakenAt, totals: book.totals, refusals: book.refusals }
}
