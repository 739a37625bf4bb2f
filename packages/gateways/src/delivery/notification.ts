import { type AlertSeverity, alertSeverities, type CaseChange } from '@millwright/core'

/** A change of a case, as a channel tells it. */
export interface Notification {
  /** `caseId#sequence`: the same however often it is told, by whatever channel. */
  readonly id: string
  readonly caseId: string
  readonly deviceId: string
  readonly change: CaseChange
  /** When it changed, append-time scale, epoch milliseconds. */
  readonly at: number
  /** Who changed it; `null` for the plant itself, or where a person did not say. */
  readonly by: string | null
  readonly severity: AlertSeverity
  readonly status: 'open' | 'acknowledged' | 'resolved'
  /** Whether its alert stands. */
  readonly alerting: boolean
  readonly openedAt: number
  /** End of the newest window of its alerts, epoch milliseconds. */
  readonly windowEnd: number
  readonly probability: number | null
  /** Largest first. */
  readonly why: readonly { readonly feature: string; readonly value: number | null }[]
  readonly assignee: string | null
  /** The resolved case whose alert went on standing, and so opened this one. */
  readonly follows: string | null
  readonly comment: string | null
  readonly verdict: { readonly kind: string; readonly found: string | null } | null
  /** Whether a person did it, or the plant. */
  readonly byPerson: boolean
  /** The record as it is on the topic: one JSON document. */
  readonly record: string
}

/** What a person can do to a case; everything else the plant says. */
const personsChanges: ReadonlySet<string> = new Set([
  'acknowledged',
  'assigned',
  'commented',
  'resolved',
  'reopened',
  'linked',
])

/**
 * Reads a record of `cases` (docs/formats/topics.md); `null` where it is none. Fields that only add to a message may be absent: a
 * channel of an older release goes on telling of what it knows.
 */
export function readNotification(record: string): Notification | null {
  let value: unknown
  try {
    value = JSON.parse(record)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const found = value as Readonly<Record<string, unknown>>
  const { caseId, deviceId, sequence, change, at, status, alerting } = found
  if (typeof caseId !== 'string' || typeof deviceId !== 'string' || typeof change !== 'string') return null
  if (typeof sequence !== 'number' || typeof at !== 'number' || typeof alerting !== 'boolean') return null
  if (status !== 'open' && status !== 'acknowledged' && status !== 'resolved') return null
  return {
    id: `${caseId}#${sequence}`,
    caseId,
    deviceId,
    change: change as CaseChange,
    at,
    by: textOf(found['by']),
    // One that this release does not know is not told as if it were mild.
    severity: alertSeverities.find((known) => known === found['severity']) ?? 'critical',
    status,
    alerting,
    openedAt: numberOf(found['openedAt']) ?? at,
    windowEnd: numberOf(found['windowEnd']) ?? openingWindowEnd(caseId) ?? at,
    probability: numberOf(found['probability']),
    why: whyOf(found['why']),
    assignee: textOf(found['assignee']),
    follows: textOf(found['follows']),
    comment: textOf(found['comment']),
    verdict: verdictOf(found['verdict']),
    byPerson: personsChanges.has(change),
    record,
  }
}

/** End of the window that opened a case, which its id says: `deviceId@windowEnd`. */
export function openingWindowEnd(caseId: string): number | null {
  const match = /@(-?\d{1,16})$/.exec(caseId)
  return match === null ? null : Number(match[1])
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function verdictOf(value: unknown): Notification['verdict'] {
  if (typeof value !== 'object' || value === null || !('kind' in value) || typeof value.kind !== 'string') return null
  return { kind: value.kind, found: 'found' in value ? textOf(value.found) : null }
}

function whyOf(value: unknown): Notification['why'] {
  if (!Array.isArray(value)) return []
  return value.flatMap((reason: unknown) =>
    typeof reason === 'object' && reason !== null && 'feature' in reason && typeof reason.feature === 'string'
      ? [{ feature: reason.feature, value: 'value' in reason ? numberOf(reason.value) : null }]
      : [],
  )
}
