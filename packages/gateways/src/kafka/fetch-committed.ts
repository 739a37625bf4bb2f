import { type Connection, fetchV12 } from '@platformatic/kafka'
import type { BrokerLink } from './broker-link.ts'
import { committedRecords, type LogBatch } from './committed-records.ts'
import { KafkaRefusedError } from './errors.ts'
import { offsetOf, readCommitted, readUncommitted } from './offset-lookup.ts'
import type { KafkaRecord } from './record.ts'

/** A place in a partition, and how much may be asked for there. */
export interface FetchPlace {
  readonly topic: string
  readonly partition: number
  readonly from: number
  /** A batch that is larger comes all the same. */
  readonly bytesMax: number
  /** How long the broker waits for something to come; 0: not at all. */
  readonly waitMs: number
}

/** What one fetch gave: committed records in their order, and the offset to read on from. */
export interface FetchedRecords {
  readonly records: readonly KafkaRecord[]
  readonly next: number
  /** Before the place there is nothing any more, or beyond it nothing yet: nothing was waited for. */
  readonly isOutOfRange: boolean
}

/** Fetches once. Where retention has taken the place, `next` is where what is left begins. @throws As `BrokerLink.askLeader`. */
export async function fetchCommitted(link: BrokerLink, place: FetchPlace): Promise<FetchedRecords> {
  const { topic, partition, from } = place
  try {
    const answer = await link.askLeader(`read ${topic}-${partition}`, topic, partition, (connection) =>
      fetchOnce(connection, place, readCommitted),
    )
    const found = answer.responses[0]?.partitions[0]
    const batches: readonly LogBatch[] = found?.records ?? []
    return { ...committedRecords(partition, from, batches, found?.abortedTransactions ?? []), isOutOfRange: false }
  } catch (error) {
    if (!(error instanceof KafkaRefusedError) || error.details['kafkaError'] !== 'OFFSET_OUT_OF_RANGE') throw error
    const beginning = await offsetOf(link, topic, partition, 'beginning')
    return { records: [], next: Math.max(from, beginning), isOutOfRange: true }
  }
}

/**
 * Returns the append time of the first batch that reaches an offset, committed or not, epoch milliseconds; `null` where there is none.
 *
 * @throws As `BrokerLink.askLeader`.
 */
export async function firstTimeFrom(
  link: BrokerLink,
  { topic, partition, from }: { readonly topic: string; readonly partition: number; readonly from: number },
): Promise<number | null> {
  const place = { topic, partition, from, bytesMax: 1, waitMs: 0 }
  const answer = await link.askLeader(`look at ${topic}-${partition}`, topic, partition, (connection) =>
    fetchOnce(connection, place, readUncommitted),
  )
  const batches: readonly LogBatch[] = answer.responses[0]?.partitions[0]?.records ?? []
  const first = batches.find(({ firstOffset, lastOffsetDelta }) => Number(firstOffset) + lastOffsetDelta >= from)
  return first === undefined ? null : Number(first.maxTimestamp)
}

function fetchOnce(connection: Connection, place: FetchPlace, isolation: number) {
  const { topic, partition, from, bytesMax, waitMs } = place
  const wanted = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: BigInt(from),
    lastFetchedEpoch: -1,
    partitionMaxBytes: bytesMax,
  }
  // The version names topics by what the library calls their id.
  const topics = [{ topicId: topic, partitions: [wanted] }]
  return fetchV12.api.async(connection, waitMs, waitMs === 0 ? 0 : 1, bytesMax, isolation, 0, -1, topics, [], '')
}
