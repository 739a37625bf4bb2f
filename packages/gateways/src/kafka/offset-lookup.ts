import { listOffsetsV6, listOffsetsV7 } from '@platformatic/kafka'
import type { BrokerLink } from './broker-link.ts'

/** Kafka's number for: only what is committed. Source: FetchRequest and ListOffsetsRequest, `isolation_level`. */
export const readCommitted = 1
/** The same for: whatever was written. */
export const readUncommitted = 0
/** Kafka's own: at the end, at the beginning. Source: ListOffsetsRequest, `timestamp`. */
const atEnd = -1
const atBeginning = -2
/** The record with the greatest time (KIP-734). */
const atGreatestTime = -3

/** A moment in a topic: its beginning, its end (of what is committed), or the first record appended then or later, epoch milliseconds. */
export type TopicMoment = 'beginning' | 'end' | { readonly timeMs: number }

/** Asks once for the offset of a moment in one partition. A time after the last record is the end. @throws As `BrokerLink.askLeader`. */
export async function offsetOf(
  link: BrokerLink,
  topic: string,
  partition: number,
  moment: TopicMoment,
): Promise<number> {
  const timestamp = moment === 'beginning' ? atBeginning : moment === 'end' ? atEnd : moment.timeMs
  const answer = await link.askLeader(`look up ${topic}-${partition}`, topic, partition, (connection) =>
    listOffsetsV6.api.async(connection, -1, readCommitted, [
      {
        name: topic,
        partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(timestamp) }],
      },
    ]),
  )
  const offset = Number(answer.topics[0]?.partitions[0]?.offset ?? -1)
  return offset < 0 ? offsetOf(link, topic, partition, 'end') : offset
}

/** Asks for the offset that the next record of a partition gets: beyond all that was written, committed or not. @throws As `BrokerLink.askLeader`. */
export async function writtenEndOf(link: BrokerLink, topic: string, partition: number): Promise<number> {
  const answer = await link.askLeader(`look up ${topic}-${partition}`, topic, partition, (connection) =>
    listOffsetsV6.api.async(connection, -1, readUncommitted, [
      { name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(atEnd) }] },
    ]),
  )
  return Number(answer.topics[0]?.partitions[0]?.offset ?? 0)
}

/** Asks for the append time of the newest record of a partition, committed or not; `null` where it has none. @throws As `BrokerLink.askLeader`. */
export async function newestTimeOf(link: BrokerLink, topic: string, partition: number): Promise<number | null> {
  const answer = await link.askLeader(`look at ${topic}-${partition}`, topic, partition, (connection) =>
    listOffsetsV7.api.async(connection, -1, readUncommitted, [
      {
        name: topic,
        partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(atGreatestTime) }],
      },
    ]),
  )
  const timeMs = Number(answer.topics[0]?.partitions[0]?.timestamp ?? -1)
  return timeMs < 0 ? null : timeMs
}
