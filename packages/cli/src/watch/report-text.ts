import type { Estimate, ModelWatchReport, Proportion, WatchReport } from '@millwright/monitoring'
import { formatCount } from '../terminal/progress.ts'
import { block, moment, percent, type Row } from '../terminal/rows.ts'
import { qualityRows } from './quality-rows.ts'

const columnsShownMax = 10

/** A report for a person to read. */
export function reportText(report: WatchReport): string {
  const { readUpTo, models, quality, findings } = report
  if (readUpTo === null) return 'Nothing was recorded yet.'
  const parts = [`What the topics say up to ${moment(readUpTo)}.`]
  if (models.length === 0) parts.push('No window was scored so far: nothing is known of any model.')
  for (const model of models) parts.push(modelText(model))
  const lost = lostRows(report)
  if (lost.length > 0) parts.push(block('Not counted, so that the numbers above are less than exact', lost))
  if (findings.length > 0)
    parts.push(
      block('Drift alarms, the newest first', [
        ...findings
          .slice(0, columnsShownMax)
          .map(
            ({ change, deviceId, atMs, drift }): Row => [
              `${moment(atMs)} ${change}`,
              `${drift.column} of ${deviceId ?? 'the fleet'}: PSI ${drift.psi.toFixed(2)}, p ${drift.pValue.toPrecision(2)}`,
            ],
          ),
      ]),
    )
  const { totals, worst } = quality
  parts.push(
    block(`Data quality (machines: ${formatCount(quality.machines)}, silent: ${formatCount(quality.machinesSilent)})`, [
      ['windows', formatCount(totals.windows)],
      ...qualityRows(totals),
      ...worst.slice(0, columnsShownMax).map(
        ({ deviceId, found }): Row => [
          deviceId,
          Object.entries(found)
            .map(([what, count]) => `${what} ${formatCount(count)}`)
            .join(', '),
        ],
      ),
    ]),
  )
  return parts.join('\n\n')
}

function modelText(report: ModelWatchReport): string {
  const { model, events, failures, windows, leadMinutes, estimate, drift } = report
  const known = windows.truePositive + windows.falsePositive + windows.trueNegative + windows.falseNegative
  const rows: Row[] = [
    [
      'alarms',
      `${formatCount(events.true)} true, ${formatCount(events.false)} false, ${formatCount(events.unclear)} unclear, ${formatCount(events.unjudged)} without a verdict: ${share(report.shareWithoutVerdict)}`,
    ],
    [
      'failures',
      `${formatCount(failures.caught)} caught, ${formatCount(failures.missed)} missed: recall ${share(report.failureRecall)}`,
    ],
    ['precision of alarms', share(report.eventPrecision)],
    [
      'lead time',
      leadMinutes.value === null
        ? 'not known'
        : `median ${duration(leadMinutes.value)}${range(leadMinutes.low, leadMinutes.high, duration)}`,
    ],
    [
      'windows judged',
      `${formatCount(known)}, ${formatCount(windows.presumedNegative)} of them presumed healthy; ${formatCount(windows.pendingNormal)} pending`,
    ],
    ['accuracy', share(report.accuracy)],
    ['precision', share(report.precision)],
    ['recall', share(report.recall)],
    [
      'false positive rate',
      `${share(report.falsePositiveRate)}; if all unjudged alarms were false ${share(report.falsePositiveRateAtMost)}`,
    ],
    ['false alerts so far', formatCount(report.falseAlertsTotal)],
  ]
  if (estimate !== null) {
    const why =
      estimate.distrust.length === 0
        ? 'nothing speaks against it'
        : `not to be trusted: ${estimate.distrust.join(', ')}`
    rows.push(
      [
        'estimated, without verdicts',
        `${formatCount(estimate.windowCount)} windows from ${moment(estimate.from)}; calibration: ${estimate.calibration}; ${why}`,
      ],
      ['  accuracy', share(estimate.accuracy)],
      ['  precision', share(estimate.precision)],
      ['  recall', share(estimate.recall)],
      ['  these intervals', 'as if each window were a case of its own: narrower than they should be'],
    )
  }
  rows.push(...driftRows(drift))
  return block(`Model ${model.name} ${model.version}`, rows)
}

function lostRows({ verdicts, refused }: WatchReport): Row[] {
  const noRecords = Object.values(refused).flatMap((counts) => Object.values(counts))
  const all: readonly (readonly [what: string, count: number])[] = [
    ['windows of machines that flap, forgotten before their time', verdicts.windowsForgotten],
    ['windows that came more than 45 days late', verdicts.windowsTooOld],
    ['windows longer than 22 days', verdicts.windowsTooLong],
    ['windows of machines or versions too many', verdicts.signalsRefused],
    ['verdicts given more than 90 days after the start of their span', verdicts.verdictsTooLate],
    ['verdicts too many on one machine, or on one without windows', verdicts.verdictsForgotten],
    ['verdicts on machines too many', verdicts.verdictsRefused],
    ['records that are none of their topic', noRecords.reduce((sum, count) => sum + count, 0)],
  ]
  return all.flatMap(([what, count]): Row[] => (count === 0 ? [] : [[what, formatCount(count)]]))
}

function driftRows(drift: ModelWatchReport['drift']): Row[] {
  if (drift === null) return [['drift', 'not watched: the package of this version is not at hand']]
  if (drift.fleet === null) return [['drift', 'no day with 200 windows is over yet']]
  const { columns, periodEndMs } = drift.fleet
  // An alarm stands until days without it have passed: on its last day others may have moved the model more.
  const shown = columns.filter(
    ({ column, alarmed }, place) => place < columnsShownMax || alarmed || column in drift.machinesAlarmed,
  )
  return [
    ['drift, by effect on the model', `day that ended ${moment(periodEndMs)}`],
    ...shown.map(({ column, psi, pValue, effect, alarmed, drifted, outsideShare }): Row => {
      const machines = drift.machinesAlarmed[column] ?? 0
      const state = alarmed ? 'ALARM' : drifted ? 'drifted' : 'as in training'
      const own = machines === 0 ? '' : `; alarm of ${formatCount(machines)} machines by themselves`
      return [
        `  ${column}`,
        `${state}: PSI ${psi.toFixed(3)}, p ${pValue.toPrecision(2)}, effect ${effect.toFixed(3)}, ${percent(outsideShare)} outside training${own}`,
      ]
    }),
  ]
}

function share({ value, low, high }: Proportion | Estimate): string {
  return value === null ? 'not known' : `${percent(value)}${range(low, high, percent)}`
}

function range(low: number | null, high: number | null, show: (value: number) => string): string {
  return low === null || high === null ? '' : ` (${show(low)} to ${show(high)})`
}

function duration(minutes: number): string {
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`
}
