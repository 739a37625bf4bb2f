import type { CaseChange } from '@millwright/core'
import type { Notification } from './notification.ts'

/** What happened, as a person says it. */
const changeTexts: Readonly<Record<CaseChange, string>> = {
  opened: 'at risk of failure',
  'raised-again': 'at risk again',
  escalated: 'more severe',
  'de-escalated': 'less severe',
  cleared: 'no longer at risk',
  silent: 'sends nothing',
  returned: 'sends again',
  acknowledged: 'acknowledged',
  assigned: 'assigned',
  commented: 'commented',
  resolved: 'resolved',
  reopened: 'reopened',
  linked: 'linked',
  expired: 'expired, untouched',
}

const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })

/** One line: the machine, what happened, how severe, how probable. */
export function summaryOf({ deviceId, change, severity, probability, follows }: Notification): string {
  const chance = probability === null ? '' : `, ${percent.format(probability)}`
  // A change of a newer release goes by its own name.
  const happened =
    change === 'opened' && follows !== null ? 'still at risk of failure' : (changeTexts[change] ?? change)
  return `${deviceId}: ${happened} (${severity}${chance})`
}

/** The reasons in one line; empty where there are none. */
export function whyText({ why }: Notification): string {
  return why.map(({ feature, value }) => (value === null ? feature : `${feature} = ${short.format(value)}`)).join(', ')
}

/** A few lines for a person: the summary, when, who, what was said, and the id by which a copy is known. */
export function notificationText(notification: Notification): string {
  const { at, by, byPerson, change, comment, verdict, assignee, status, follows, id } = notification
  const who = byPerson ? ` by ${by ?? 'somebody'}` : ''
  const lines = [
    summaryOf(notification),
    `  ${new Date(at).toISOString()}${who}; the case is ${status}${assignee === null ? '' : `, with ${assignee}`}`,
  ]
  const why = whyText(notification)
  if (why !== '') lines.push(`  why: ${why}`)
  if (change === 'opened' && follows !== null) lines.push(`  the alert went on after ${follows} was resolved`)
  if (verdict !== null) lines.push(`  verdict: ${verdict.kind}${verdict.found === null ? '' : `, ${verdict.found}`}`)
  if (comment !== null) lines.push(`  "${comment.replace(/\s+/g, ' ')}"`)
  lines.push(`  ${id}`)
  return lines.join('\n')
}
