import { limits } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { type FetchedRecords, fetchCommitted } from './fetch-committed.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { offsetOf, writtenEndOf } from './offset-lookup.ts'
import {
  committedPlaces,
  OperatorProgress,
  type PartitionedTopic,
  type Progress,
  placesOf,
  progressPortOf,
} from './operator-progress.ts'
import { untilPassed } from './passing-error.ts'

/**
 * Reads several topics piece by piece, each piece when it is asked for. Every request is made again while leaders move, for at most
 * `kafkaDeliveryMsMax`.
 */
export class TopicsLink {
  readonly topics: readonly PartitionedTopic[]
  readonly #link: BrokerLink
  readonly #signal: AbortSignal | undefined
  #progress: OperatorProgress | null = null

  private constructor(link: BrokerLink, topics: readonly PartitionedTopic[], signal: AbortSignal | undefined) {
    this.#link = link
    this.topics = topics
    this.#signal = signal
  }

  /**
   * @param signal Ends all waiting: what is asked for then fails.
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  static async open(connection: KafkaConnection, topics: readonly string[], signal?: AbortSignal): Promise<TopicsLink> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-watcher')
    try {
      const counts = await patiently(signal, () => link.partitionCounts(topics))
      const partitioned = topics.map((topic, index) => ({ topic, partitionCount: counts[index] ?? 0 }))
      return new TopicsLink(link, partitioned, signal)
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /** What the cluster calls itself, for good. @throws As {@link open}. */
  clusterId(): Promise<string> {
    return this.#patiently(() => this.#link.clusterId())
  }

  /** Fetches what is committed after a place, without waiting for more; at most so many bytes, but one whole batch. @throws As {@link open}. */
  fetch(place: {
    readonly topic: string
    readonly partition: number
    readonly from: number
    readonly bytesMax?: number
  }): Promise<FetchedRecords> {
    return this.#patiently(() =>
      fetchCommitted(this.#link, { bytesMax: limits.kafkaFetchBytesMax, waitMs: 0, ...place }),
    )
  }

  /** The offset that the next committed record of a partition has at least. @throws As {@link open}. */
  committedEnd(topic: string, partition: number): Promise<number> {
    return this.#patiently(() => offsetOf(this.#link, topic, partition, 'end'))
  }

  /** The offset beyond all that was written to a partition, committed or not. @throws As {@link open}. */
  writtenEnd(topic: string, partition: number): Promise<number> {
    return this.#patiently(() => writtenEndOf(this.#link, topic, partition))
  }

  /**
   * The offsets up to which a consumer group has left its places, in the order of topics and partitions; −1 where it left none.
   *
   * @throws As {@link open}.
   */
  placesOf(group: string): Promise<readonly number[]> {
    return this.#patiently(() => committedPlaces(this.#link, group, placesOf(this.topics)))
  }

  /** See {@link OperatorProgress.look}; the first call says of whom. @throws As {@link open}. */
  progress(of: {
    readonly group: string
    readonly inputs: readonly PartitionedTopic[]
    readonly outputs: readonly PartitionedTopic[]
  }): Promise<Progress | null> {
    this.#progress ??= new OperatorProgress(progressPortOf(this.#link, of.group), of)
    const progress = this.#progress
    return this.#patiently(() => progress.look())
  }

  /** See {@link OperatorProgress.waitsFor}. */
  get waitsFor(): string | null {
    return this.#progress?.waitsFor ?? null
  }

  async close(): Promise<void> {
    await this.#link.close()
  }

  #patiently<T>(ask: () => Promise<T>): Promise<T> {
    return patiently(this.#signal, ask)
  }
}

function patiently<T>(signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + limits.kafkaDeliveryMsMax
  return untilPassed(signal === undefined ? { deadlineMs } : { deadlineMs, signal }, ask)
}
