import type { MaintenanceFeedback } from '@millwright/core'
import type { WatchedCase } from './watched-case.ts'

/**
 * What a change of a case says on `maintenance-feedback`: the verdict where it gained one, its withdrawal where it lost it, else `null`. The id is the case's, the
 * revision the sequence of the change: so the same change gives the same record, and a later one replaces an earlier one.
 *
 * @param before With the sequence before the change.
 * @param atMs Append time of the change.
 */
export function feedbackOf(before: WatchedCase, after: WatchedCase, atMs: number): MaintenanceFeedback | null {
  if (before.verdict === after.verdict) return null
  const { kind, failureAt, from, to } = after.verdict ?? {
    kind: 'withdrawn',
    failureAt: null,
    from: before.verdict?.from ?? before.from,
    to: before.verdict?.to ?? before.to,
  }
  return {
    id: before.caseId,
    revision: before.sequence + 1,
    deviceId: before.deviceId,
    verdict: kind,
    from,
    to,
    failureAt,
    // A device whose clock is ahead has windows that begin after they came.
    recordedAt: Math.max(atMs, from),
    model: before.model,
  }
}
