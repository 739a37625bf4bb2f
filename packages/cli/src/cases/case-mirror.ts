import { alertSeverities, type CaseStatus, type CaseView } from '@millwright/core'
import type { CaseList, CaseQuery } from '@millwright/gateways'

/**
 * Sorts cases as they want attention: those that nobody resolved first, of them those whose alert stands, the gravest, the newest; then the resolved
 * ones, the newest first.
 */
export function byAttention(a: CaseView, b: CaseView): number {
  const [over, otherOver] = [a.status === 'resolved', b.status === 'resolved']
  if (over !== otherOver) return over ? 1 : -1
  if (over) return (b.resolvedAt ?? 0) - (a.resolvedAt ?? 0) || byId(a, b)
  return (
    Number(b.alerting) - Number(a.alerting) ||
    alertSeverities.indexOf(b.severity) - alertSeverities.indexOf(a.severity) ||
    b.openedAt - a.openedAt ||
    byId(a, b)
  )
}

/** What a query finds among cases, in the order of {@link byAttention}. */
export function queryCases(cases: Iterable<CaseView>, query: CaseQuery): Pick<CaseList, 'cases' | 'total' | 'counts'> {
  const counts: Record<CaseStatus, number> = { open: 0, acknowledged: 0, resolved: 0 }
  const found: CaseView[] = []
  for (const each of cases) {
    counts[each.status] += 1
    if (fits(each, query)) found.push(each)
  }
  const { offset, limit } = query
  return { cases: found.sort(byAttention).slice(offset, offset + limit), total: found.length, counts }
}

function fits(each: CaseView, { status, deviceId, severity }: CaseQuery): boolean {
  if (deviceId !== null && each.deviceId !== deviceId) return false
  if (severity !== null && each.severity !== severity) return false
  if (status === 'unresolved') return each.status !== 'resolved'
  return status === null || each.status === status
}

function byId(a: CaseView, b: CaseView): number {
  return a.caseId < b.caseId ? -1 : 1
}
