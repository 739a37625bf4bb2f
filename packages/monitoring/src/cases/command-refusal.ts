import { type CaseCommand, type CaseRefusal, limits } from '@millwright/core'
import type { WatchedCase } from './watched-case.ts'

/**
 * Says why a command does not fit a case as it stands; `null` where it fits. The rules are those of docs/formats/topics.md, tested in the order
 * of its list.
 *
 * @param anotherOpen Whether the device has another case that is not resolved.
 */
export function commandRefusal(found: WatchedCase, command: CaseCommand, anotherOpen: boolean): CaseRefusal | null {
  if (command.seen !== null && found.personSequence > command.seen) return 'stale'
  const isResolved = found.status === 'resolved'
  switch (command.command) {
    case 'comment':
      return null
    case 'acknowledge':
      if (isResolved) return 'already-resolved'
      return found.status === 'acknowledged' ? 'already-acknowledged' : null
    case 'assign':
      return isResolved ? 'already-resolved' : null
    case 'resolve':
      if (isResolved) return 'already-resolved'
      return verdictSpan(found, command) === null ? 'span' : null
    case 'reopen':
      if (!isResolved) return 'not-resolved'
      return anotherOpen ? 'another-open' : null
    case 'link':
      if (found.links.includes(command.to)) return 'linked-already'
      return found.links.length >= limits.caseLinksMax ? 'links-max' : null
  }
}

/**
 * The span of event time that a verdict is about: the case's own where the person names none, made longer to where it failed.
 *
 * @returns `null` where it is none: it ends before it begins, or before it failed.
 */
export function verdictSpan(
  found: Pick<WatchedCase, 'from' | 'to'>,
  { from, to, failureAt }: Extract<CaseCommand, { command: 'resolve' }>,
): { readonly from: number; readonly to: number } | null {
  const failedMs = failureAt ?? found.to
  const span = {
    from: from ?? Math.min(found.from, failedMs - 1),
    to: to ?? Math.max(found.to, failedMs),
  }
  if (span.from < 0 || span.to <= span.from || (failureAt !== null && failureAt <= span.from)) return null
  return span
}
