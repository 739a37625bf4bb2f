import { alertSeverities } from '@millwright/core'
import type { CaseReport } from '@millwright/monitoring'
import type { GaugeReading } from '../plant/metrics.ts'

/**
 * How many cases there are and how they fare, as metrics. Labels are severities, verdicts and reasons: fixed sets.
 *
 * @param logTimeMs Append time of the newest record in the log, epoch milliseconds: an age is one of append time.
 */
export function caseMetrics(
  { open, oldestOpenedAt, oldestUntakenAt, totals }: CaseReport,
  logTimeMs: number,
): GaugeReading[] {
  const counter = (name: string, help: string, values: GaugeReading['values']): GaugeReading => ({
    name,
    help,
    kind: 'counter',
    values,
  })
  const ageSeconds = (sinceMs: number | null): number =>
    sinceMs === null ? 0 : Math.max(0, logTimeMs - sinceMs) / 1000
  const one = (value: number): GaugeReading['values'] => [{ labels: {}, value }]
  const by = (label: string, counts: Readonly<Record<string, number>>): GaugeReading['values'] =>
    Object.entries(counts).map(([key, value]) => ({ labels: { [label]: key }, value }))
  return [
    {
      name: 'cases',
      help: 'cases that are not resolved',
      values: alertSeverities.flatMap((severity) =>
        Object.entries(open[severity]).map(([status, value]) => ({ labels: { severity, status }, value })),
      ),
    },
    {
      name: 'cases_oldest_age_seconds',
      help: 'since the oldest case that is not resolved was opened, by append time; 0 where there is none',
      values: one(ageSeconds(oldestOpenedAt)),
    },
    {
      name: 'cases_untaken_age_seconds',
      help: 'since the oldest case that nobody has taken was opened, by append time; 0 where there is none',
      values: one(ageSeconds(oldestUntakenAt)),
    },
    counter(
      'cases_opened_total',
      'cases opened',
      by('severity', Object.fromEntries(alertSeverities.map((severity) => [severity, totals.opened[severity] ?? 0]))),
    ),
    counter('cases_raised_again_total', 'alerts raised again on a case that was not resolved', one(totals.raisedAgain)),
    counter(
      'cases_followed_total',
      'cases opened since the alert of a resolved one went on; among those opened',
      one(totals.followed),
    ),
    counter('cases_resolved_total', 'cases resolved, by their verdict, or expired', by('verdict', totals.resolved)),
    counter('cases_reopened_total', 'cases reopened', one(totals.reopened)),
    counter('cases_taken_total', 'cases that somebody took: acknowledged, or resolved without', one(totals.taken)),
    counter(
      'cases_taken_seconds_total',
      'time from opening to taking, in all, by append time',
      one(totals.takenMsSum / 1000),
    ),
    counter('case_commands_total', 'commands that changed a case', one(totals.commands)),
    counter('case_commands_again_total', 'commands that came again', one(totals.commandsAgain)),
    counter(
      'case_commands_refused_total',
      'commands that changed nothing, by the reason',
      by('reason', totals.commandsRefused),
    ),
  ]
}
