import { type FeedbackBatch, type FeedbackLine, type FeedbackPort, partitionOf } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { KafkaClosedError } from './errors.ts'
import { producerPortOf } from './idempotent-session.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { PartitionProducer } from './partition-producer.ts'
import type { NewRecord } from './record.ts'

const topics = ['maintenance-feedback', 'dead-letters'] as const

/**
 * Where verdicts go on Kafka: those that are some to `maintenance-feedback`, the others to `dead-letters`, each by its device.
 *
 * A call resolves when every record is acknowledged by all copies that are in sync. One that fails may have written a part: sent
 * again, readers know a verdict by its id and revision.
 */
export class KafkaFeedback implements FeedbackPort {
  readonly #link: BrokerLink
  readonly #producers: readonly (readonly PartitionProducer[])[]
  #closed = false

  private constructor(link: BrokerLink, partitionCounts: readonly number[]) {
    this.#link = link
    this.#producers = topics.map((topic, index) =>
      Array.from(
        { length: partitionCounts[index] ?? 0 },
        (_, partition) => new PartitionProducer(producerPortOf(link), topic, partition),
      ),
    )
  }

  /**
   * Reaches Kafka and finds the two topics.
   *
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError}
   */
  static async open(connection: KafkaConnection): Promise<KafkaFeedback> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-feedback')
    try {
      return new KafkaFeedback(link, await link.partitionCounts([...topics]))
    } catch (error) {
      await link.close()
      throw error
    }
  }

  async appendFeedback({ accepted, refused }: FeedbackBatch): Promise<void> {
    if (this.#closed) throw new KafkaClosedError('The gateway to Kafka is closed.')
    const writes = [accepted, refused].flatMap((lines, topic) => this.#write(this.#producers[topic] ?? [], lines))
    const outcomes = await Promise.allSettled(writes)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Gives up what is not acknowledged, and ends the connections. */
  async close(): Promise<void> {
    this.#closed = true
    for (const producer of this.#producers.flat()) producer.close()
    await this.#link.close()
  }

  #write(producers: readonly PartitionProducer[], lines: readonly FeedbackLine[]): Promise<void>[] {
    return [...feedbackRecords(lines, producers.length)].map(([partition, records]) => {
      const producer = producers[partition]
      if (producer === undefined) throw new RangeError(`partition ${partition} of ${producers.length}`)
      return producer.write(records)
    })
  }
}

/** Sorts lines into the partitions of a topic, each by its device, in their order; those without a device go to partition 0. */
export function feedbackRecords(lines: readonly FeedbackLine[], partitionCount: number): Map<number, NewRecord[]> {
  const records = new Map<number, NewRecord[]>()
  for (const { deviceId, line } of lines) {
    const partition = deviceId === null ? 0 : partitionOf(deviceId, partitionCount)
    const record = { key: deviceId === null ? null : Buffer.from(deviceId), value: Buffer.from(line) }
    const known = records.get(partition)
    if (known === undefined) records.set(partition, [record])
    else known.push(record)
  }
  return records
}
