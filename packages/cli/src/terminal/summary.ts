import type { OperatorCounters } from '@millwright/core'
import { formatCount } from './progress.ts'

/** What became of the input, as counts: the same in the machine-readable result and in the table for a person. */
export interface RunSummary {
  readonly readingsIn: number
  readonly readingsAccepted: number
  readonly readingsDropped: Readonly<Record<string, number>>
  readonly deadLetters: Readonly<Record<string, number>>
  readonly redelivered: number
  readonly late: number
  readonly windows: number
  readonly revisions: number
  readonly alertsHigh: number
  readonly windowsUnscored: number
}

/** Reads the summary out of the operators' counters. */
export function summaryOf(counters: OperatorCounters): RunSummary {
  return {
    readingsIn: counters['readings_in_total'] ?? 0,
    readingsAccepted: counters['readings_accepted_total'] ?? 0,
    readingsDropped: labelled(counters, 'readings_dropped_total', 'rule'),
    deadLetters: labelled(counters, 'dead_letters_total', 'reason'),
    redelivered: counters['redelivered_total'] ?? 0,
    late: counters['late_readings_total'] ?? 0,
    windows: counters['windows_closed_total'] ?? 0,
    revisions: counters['window_revisions_total'] ?? 0,
    alertsHigh: counters['alerts_high_total'] ?? 0,
    windowsUnscored: counters['windows_unscored_total'] ?? 0,
  }
}

/** Prints the summary as an aligned table; lines that would say 0 of something unusual are left out. */
export function summaryText(summary: RunSummary): string {
  const rows: [string, number][] = [
    ['readings in', summary.readingsIn],
    ['accepted', summary.readingsAccepted],
    ...Object.entries(summary.readingsDropped).map(([rule, count]): [string, number] => [`dropped by ${rule}`, count]),
    ...Object.entries(summary.deadLetters).map(([reason, count]): [string, number] => [
      `dead letter: ${reason}`,
      count,
    ]),
  ]
  if (summary.redelivered > 0) rows.push(['delivered again', summary.redelivered])
  rows.push(['late', summary.late], ['windows', summary.windows])
  if (summary.revisions > 0) rows.push(['revisions', summary.revisions])
  if (summary.windowsUnscored > 0) rows.push(['not scored (no model)', summary.windowsUnscored])
  rows.push(['high-risk alerts', summary.alertsHigh])
  const width = Math.max(...rows.map(([label]) => label.length))
  const numberWidth = Math.max(...rows.map(([, count]) => formatCount(count).length))
  return rows
    .map(([label, count]) => `  ${label.padEnd(width)}  ${formatCount(count).padStart(numberWidth)}`)
    .join('\n')
}

function labelled(counters: OperatorCounters, name: string, label: string): Record<string, number> {
  const prefix = `${name}{${label}="`
  return Object.fromEntries(
    Object.entries(counters)
      .filter(([key, count]) => key.startsWith(prefix) && count > 0)
      .map(([key, count]) => [key.slice(prefix.length, -2), count]),
  )
}
