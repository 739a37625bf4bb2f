import { limits } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { KafkaUnreachableError } from './errors.ts'
import { type FetchedRecords, fetchCommitted } from './fetch-committed.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { newestTimeOf, offsetOf, type TopicMoment, writtenEndOf } from './offset-lookup.ts'
import { isPassing, pause, untilPassed } from './passing-error.ts'
import type { KafkaRecord } from './record.ts'

/** How long a broker waits for something to come before it says that there is nothing. */
const longPollMs = 500
const retryPauseMs = 200

/** What to read of one partition. */
export interface ReadRange {
  readonly partition: number
  /** First offset. Where retention has taken it, reading begins with what is left. */
  readonly from: number
  /** Goes on as records come, until the signal. Default: ends where the partition ended when reading began. */
  readonly follow?: boolean
  /**
   * Where it does not follow: ends where all that was written by then ends, and waits until transactions that are open there are decided.
   * Default: ends before the first that is open.
   */
  readonly waitsForOpen?: boolean
  /** Ends before this offset, where it comes before the end. */
  readonly to?: number
  readonly signal?: AbortSignal
  /** Told once when Kafka has gone away, and once when it is back; only where `follow` waits for it. */
  readonly onAway?: (error: Error | null) => void
}

/**
 * Reads a topic of Kafka, committed records only.
 *
 * R1. Each partition's records come in the order of their offsets, each once, over broken connections and moved leaders: the reader
 *     alone keeps the place. No consumer group takes part, so none can be rebalanced, and no reader disturbs another.
 * R2. One fetch is in memory for each partition being read; the next is asked for when it is used up.
 * R3. What has an end is read to the end that was committed at the beginning (or written, `waitsForOpen`), by offset: a reader never waits for a record
 *     that compaction or an aborted transaction has taken.
 * R4. A bounded read gives up when Kafka has been away for `kafkaDeliveryMsMax`; one that follows waits until it is back.
 */
export class TopicReader {
  readonly topic: string
  readonly partitionCount: number
  readonly #connection: KafkaConnection
  readonly #link: BrokerLink

  private constructor(connection: KafkaConnection, link: BrokerLink, topic: string, partitionCount: number) {
    this.topic = topic
    this.partitionCount = partitionCount
    this.#connection = connection
    this.#link = link
  }

  /** @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError} */
  static async open(connection: KafkaConnection, topic: string): Promise<TopicReader> {
    const link = linkOf(connection)
    try {
      const [partitionCount = 0] = await link.partitionCounts([topic])
      return new TopicReader(connection, link, topic, partitionCount)
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /** Offsets of a moment, one a partition. A time after the last record is the end. @throws As {@link open}. */
  async offsets(moment: TopicMoment): Promise<number[]> {
    const ask = (partition: number): Promise<number> =>
      untilPassed({ deadlineMs: deadlineMs() }, () => offsetOf(this.#link, this.topic, partition, moment))
    return Promise.all(Array.from({ length: this.partitionCount }, (_, partition) => ask(partition)))
  }

  /** Append times of the newest records, committed or not, one a partition; `null` where there is none. @throws As {@link open}. */
  async newestTimesMs(): Promise<(number | null)[]> {
    const ask = (partition: number): Promise<number | null> =>
      untilPassed({ deadlineMs: deadlineMs() }, () => newestTimeOf(this.#link, this.topic, partition))
    return Promise.all(Array.from({ length: this.partitionCount }, (_, partition) => ask(partition)))
  }

  /** Reads one partition, with connections of its own (a broker answers those of one connection in turn). @throws As {@link open}. */
  async *read(range: ReadRange): AsyncGenerator<KafkaRecord, void> {
    const { partition, follow = false, signal } = range
    const link = linkOf(this.#connection)
    try {
      const end = follow ? Number.POSITIVE_INFINITY : await this.#endOf(link, range)
      const stallMsMax = limits.kafkaDeliveryMsMax + (range.waitsForOpen ? limits.kafkaTransactionMsMax : 0)
      const to = Math.min(end, range.to ?? Number.POSITIVE_INFINITY)
      let progressMs = performance.now()
      for (let next = range.from; next < to && !signal?.aborted; ) {
        const fetched = await this.#fetchPatiently(link, next, range)
        if (fetched === null) return
        for (const record of fetched.records) {
          if (record.offset >= to || signal?.aborted) return
          yield record
        }
        if (fetched.next > next) progressMs = performance.now()
        else if (!follow && performance.now() - progressMs > stallMsMax)
          throw new KafkaUnreachableError(
            `${this.topic}-${partition} was to be read to ${to}, and has nothing after ${next}.`,
          )
        next = fetched.next
      }
    } finally {
      await link.close()
    }
  }

  async close(): Promise<void> {
    await this.#link.close()
  }

  #endOf(link: BrokerLink, { partition, waitsForOpen = false }: ReadRange): Promise<number> {
    return untilPassed({ deadlineMs: deadlineMs() }, () =>
      waitsForOpen ? writtenEndOf(link, this.topic, partition) : offsetOf(link, this.topic, partition, 'end'),
    )
  }

  /** R4. @returns `null` when the signal came first. */
  async #fetchPatiently(
    link: BrokerLink,
    from: number,
    { partition, follow = false, signal, onAway }: ReadRange,
  ): Promise<FetchedRecords | null> {
    const giveUpMs = follow ? Number.POSITIVE_INFINITY : deadlineMs()
    let away = false
    for (;;) {
      try {
        const fetched = await this.#fetch(link, partition, from)
        if (away) onAway?.(null)
        return fetched
      } catch (error) {
        if (signal?.aborted) return null
        if (!isPassing(error) || performance.now() >= giveUpMs) throw error
        if (!away) onAway?.(error as Error)
        away = true
      }
      await pause(retryPauseMs, signal)
      if (signal?.aborted) return null
    }
  }

  async #fetch(link: BrokerLink, partition: number, from: number): Promise<FetchedRecords> {
    const fetched = await fetchCommitted(link, {
      topic: this.topic,
      partition,
      from,
      bytesMax: limits.kafkaFetchBytesMax,
      waitMs: longPollMs,
    })
    // Beyond the end there is nothing yet; before the beginning there is nothing any more.
    if (fetched.isOutOfRange && fetched.next === from) await pause(longPollMs)
    return fetched
  }
}

function linkOf(connection: KafkaConnection): BrokerLink {
  return new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-reader')
}

function deadlineMs(): number {
  return performance.now() + limits.kafkaDeliveryMsMax
}
