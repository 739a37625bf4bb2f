import type { CaseLine } from '@millwright/core'
import { feedbackRecords } from './kafka-feedback.ts'
import { positionsTopic } from './positions.ts'
import type { NewRecord } from './record.ts'
import type { PartitionRecords } from './transaction-writer.ts'

/** Up to where `cases` is written: the append time of what caused its last message, epoch milliseconds, and which of the messages of that time it is. */
export interface CaseMark {
  readonly timeMs: number
  readonly index: number
}

/** Before the first message. */
export const firstMark: CaseMark = { timeMs: Number.NEGATIVE_INFINITY, index: 0 }

/** Of the record that has the mark, on the topic of positions. */
const markKey = 'millwright-cases'

export function markOf({ causedAtMs, index }: CaseLine): CaseMark {
  return { timeMs: causedAtMs, index }
}

/** Whether a message of the first mark stands behind one of the second. */
export function isAfter(mark: CaseMark, other: CaseMark): boolean {
  return mark.timeMs > other.timeMs || (mark.timeMs === other.timeMs && mark.index > other.index)
}

/** The mark that a record of the topic of positions has; `null` where it is another's place. */
export function markIn({ key, value }: { readonly key: string | null; readonly value: Uint8Array }): CaseMark | null {
  if (key !== markKey || value.length === 0) return null
  return JSON.parse(Buffer.from(value).toString()) as CaseMark
}

/** Those of the messages that are not written yet where `cases` is written up to a mark. */
export function messagesAfter(messages: readonly CaseLine[], mark: CaseMark): readonly CaseLine[] {
  return messages.filter((message) => isAfter(markOf(message), mark))
}

/**
 * The one transaction in which messages are written: each on the partition of its device, the verdicts that they bring about, and the
 * mark of the last.
 *
 * @param partitionCounts Of the two topics.
 */
export function caseTransaction(
  messages: readonly CaseLine[],
  last: CaseMark,
  partitionCounts: { readonly cases: number; readonly feedback: number },
): PartitionRecords[] {
  const verdicts = messages.flatMap(({ feedback }) => (feedback === null ? [] : [feedback]))
  const mark = { key: Buffer.from(markKey), value: Buffer.from(JSON.stringify(last)) }
  return [
    ...partsOf('cases', feedbackRecords(messages, partitionCounts.cases)),
    ...partsOf('maintenance-feedback', feedbackRecords(verdicts, partitionCounts.feedback)),
    { topic: positionsTopic, partition: 0, records: [mark] },
  ]
}

function partsOf(topic: string, byPartition: ReadonlyMap<number, readonly NewRecord[]>): PartitionRecords[] {
  return [...byPartition].map(([partition, records]) => ({ topic, partition, records }))
}
