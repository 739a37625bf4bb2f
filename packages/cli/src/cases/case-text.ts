import type { CaseView } from '@millwright/core'
import type { CaseDetail, CaseList, CaseStep } from '@millwright/gateways'

/** Cases as a person reads them on a terminal. */

/** One line a case, those that want attention first. */
export function caseListText({ cases, total, counts, asOf, isBehind }: CaseList): string {
  const summary = `${counts.open} open, ${counts.acknowledged} acknowledged, ${counts.resolved} resolved in the last 30 days`
  const more = total > cases.length ? [`… and ${total - cases.length} more`] : []
  const behind =
    asOf === null
      ? 'still being read: cases are missing'
      : `as of ${isoMinute(asOf)}, still reading: newer ones are missing`
  return [...cases.map(lineText), ...more, summary, ...(isBehind ? [behind] : [])].join('\n')
}

function lineText(of: CaseView): string {
  const state = of.status === 'resolved' ? (of.verdict?.kind ?? 'expired') : of.status
  const alert = of.status === 'resolved' ? '' : of.alerting ? ', alert stands' : ', alert cleared'
  const assignee = of.assignee === null ? '' : `, ${of.assignee}`
  return `${mark(of)} ${isoMinute(of.openedAt)}  ${of.deviceId}  ${percent(of.peak.probability)}  ${of.severity}, ${state}${alert}${assignee}  ${of.caseId}`
}

/** A case with all that became of it. */
export function caseText({ case: of, history }: CaseDetail): string {
  const reasons = of.why.map(
    ({ feature, value, contribution }) =>
      `    ${contribution > 0 ? '↑' : '↓'} ${feature} = ${value === null ? 'missing' : Number(value.toPrecision(4))} (${contribution > 0 ? '+' : ''}${contribution.toFixed(2)} log-odds)`,
  )
  return [
    lineText(of),
    `  model ${of.model.name} ${of.model.version}; ${percent(of.probability)} in the window to ${isoMinute(of.windowEnd)}, at most ${percent(of.peak.probability)} to ${isoMinute(of.peak.windowEnd)}`,
    `  ${spark(of.evidence.map(({ probability }) => probability))}`,
    ...(reasons.length > 0 ? ['  why:', ...reasons] : []),
    ...(of.follows === null ? [] : [`  the alert went on after ${of.follows} was resolved`]),
    ...(of.links.length > 0 ? [`  links: ${of.links.join(', ')}`] : []),
    '  history:',
    ...history.map((step) => `    ${isoMinute(step.at)}  ${stepText(step)}`),
    // A plant that is asked over HTTP reads for two seconds.
    ...((history.at(-1)?.sequence ?? -1) < of.sequence ? ['    … later changes could not be read in time'] : []),
  ].join('\n')
}

function stepText({ change, by, cause, comment, severity, assignee, verdict }: CaseStep): string {
  const said: string[] = [change]
  if (change === 'opened' || change.endsWith('escalated')) said.push(`(${severity})`)
  if (change === 'cleared' && cause !== null) said.push(`(${cause})`)
  if (change === 'assigned') said.push(assignee === null ? 'to nobody' : `to ${assignee}`)
  if (change === 'resolved' && verdict !== null)
    said.push(`as ${verdict.kind}${verdict.found === null ? '' : `: ${verdict.found}`}`)
  if (by !== null) said.push(`by ${by}`)
  if (comment !== null) said.push(`– ${comment}`)
  return said.join(' ')
}

const bars = '▁▂▃▄▅▆▇█'

function spark(shares: readonly number[]): string {
  return shares.map((share) => bars[Math.min(bars.length - 1, Math.floor(share * bars.length))]).join('')
}

function mark({ status, alerting }: CaseView): string {
  if (status === 'resolved') return '✓'
  return alerting ? '⚠' : '·'
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function isoMinute(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 16).replace('T', ' ')
}
