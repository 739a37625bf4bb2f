import type { CaseCommand, CaseCommandProblem, FeedbackProblem, MaintenanceFeedback } from '@millwright/core'

/**
 * What people say was found has happened. One swapped date, and every window from then until next year is one of a failing machine: such a
 * time is refused where people are told so, at each door. Only there: what is on the topics is folded as it was, whatever times it has.
 */

/** Why a verdict was refused at a door for its times. */
export interface VerdictAhead<Problem> {
  readonly reason: Problem
  /** The field, what was found, what is wanted. */
  readonly message: string
}

/**
 * Says which time of a command to a case has not come yet; `null` where none is ahead, as of every command that is no verdict.
 *
 * @param untilMs Latest time that a verdict may speak of, epoch milliseconds.
 */
export function commandAhead(command: CaseCommand, untilMs: number): VerdictAhead<CaseCommandProblem> | null {
  if (command.command !== 'resolve') return null
  const { failureAt, to } = command
  if (isAhead(failureAt, untilMs)) return ahead('command-failure-at', 'failureAt', failureAt, untilMs)
  return isAhead(to, untilMs) ? ahead('command-span', 'to', to, untilMs) : null
}

/** The same of a record of `maintenance-feedback`. */
export function feedbackAhead(
  { failureAt, to }: MaintenanceFeedback,
  untilMs: number,
): VerdictAhead<FeedbackProblem> | null {
  if (isAhead(failureAt, untilMs)) return ahead('feedback-failure-at', 'failureAt', failureAt, untilMs)
  return isAhead(to, untilMs) ? ahead('feedback-span', 'to', to, untilMs) : null
}

function isAhead(timeMs: number | null, untilMs: number): timeMs is number {
  return timeMs !== null && timeMs > untilMs
}

function ahead<Problem>(reason: Problem, field: string, foundMs: number, untilMs: number): VerdictAhead<Problem> {
  const [found, until] = [foundMs, untilMs].map((timeMs) => new Date(timeMs).toISOString())
  return {
    reason,
    message: `${field}: found ${foundMs} (${found}), wanted a time that has been, ${until} at the latest`,
  }
}
