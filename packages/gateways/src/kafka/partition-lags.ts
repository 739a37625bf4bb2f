import type { FetchedRecords } from './fetch-committed.ts'
import { laneOf, type PartitionedTopic, type Place, placesOf } from './operator-progress.ts'

/** How far the reading of a partition is behind its end. */
export interface PartitionLag extends Place {
  /** That the next committed record has at least. */
  readonly endOffset: number
  /**
   * Offsets from the first committed record that is not read up to the end; 0 where there is none. Ends of transactions between such records have
   * offsets, too, so it is the number of records at most. `null` where nobody knows how far the partition is read.
   */
  readonly lag: number | null
}

/** What is asked of Kafka, as `TopicsLink` has it; all may reject. */
export interface LagPort {
  readonly topics: readonly PartitionedTopic[]
  /** The offset that the next committed record of a partition has at least. */
  committedEnd(topic: string, partition: number): Promise<number>
  /** Committed records from an offset on, without waiting for more. */
  fetch(place: Place & { readonly from: number; readonly bytesMax: number }): Promise<FetchedRecords>
  /** The offsets up to which a consumer group has left its places, in the order of topics and partitions; −1 where it left none. */
  placesOf(group: string): Promise<readonly number[]>
}

/**
 * Looks once how far each partition of the topics is read.
 *
 * What the reader itself says goes before what its consumer group has left in Kafka, which a job does with each checkpoint only; but a job that
 * was just restored has nothing to say of a partition until a record comes.
 *
 * @param group `null` where the reader has none that is known.
 * @param nextOffsets Of the record that the reader takes next, by `laneOf` of the partition; those that it does not know are left out.
 */
export async function partitionLags(
  port: LagPort,
  group: string | null,
  nextOffsets: ReadonlyMap<string, number>,
): Promise<PartitionLag[]> {
  const left = group === null ? [] : await port.placesOf(group)
  return Promise.all(
    placesOf(port.topics).map(async (place, index) => {
      const endOffset = await port.committedEnd(place.topic, place.partition)
      const committed = left[index] ?? -1
      const next = nextOffsets.get(laneOf(place)) ?? (committed < 0 ? null : committed)
      // Of an empty partition nothing can be unread.
      const unread = endOffset === 0 ? 0 : next === null ? null : await firstRecordFrom(port, place, next, endOffset)
      return { ...place, endOffset, lag: unread === null ? null : Math.max(0, endOffset - unread) }
    }),
  )
}

/** The offset of the first committed record at or after one; `end` where only ends of transactions, or nothing, come before that. */
async function firstRecordFrom(port: LagPort, place: Place, from: number, end: number): Promise<number> {
  let next = from
  while (next < end) {
    // One batch is enough, and comes whole, however large.
    const found = await port.fetch({ ...place, from: next, bytesMax: 1 })
    const first = found.records[0]
    if (first !== undefined) return Math.min(first.offset, end)
    // Nothing comes of a partition whose end has just been cut back, by a leader that knew less.
    if (found.next <= next) return next
    next = found.next
  }
  return end
}
