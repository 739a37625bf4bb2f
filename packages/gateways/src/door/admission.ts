import type { DeadLetterReason, FeedbackProblem, PartitionLines } from '@millwright/core'

/** A line that is no reading, as its sender is told. It goes into the log all the same, and becomes a dead letter there. */
export interface RefusedLine {
  /** In what was sent, from 1. */
  readonly line: number
  readonly reason: DeadLetterReason | FeedbackProblem
  /** For a person: the field, what was found, what is wanted. */
  readonly message: string
}

/** What is to be appended for one delivery, and what its sender is told. */
export interface Admission {
  /** Every line but blank ones, refused ones included, in their order within each partition; until `release`. */
  readonly parts: readonly PartitionLines[]
  readonly acceptedCount: number
  readonly refusedCount: number
  /** The first `refusalsReportedMax` of them. */
  readonly refused: readonly RefusedLine[]
  /** Lets the memory of the parts be used for others. Need not be called. */
  release(): void
}

/** Place in a resumable source after a line; see `FileLines.positionAfter`. */
export type PositionAfter = (line: number, endByte: number) => number
