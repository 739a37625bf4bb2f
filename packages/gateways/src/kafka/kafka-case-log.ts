import type { CaseCommandPort, CaseLine, FeedbackLine } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { KafkaClosedError, KafkaTakenOverError } from './errors.ts'
import { positionsTopic } from './file-ingest.ts'
import { producerPortOf } from './idempotent-session.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { feedbackRecords } from './kafka-feedback.ts'
import { PartitionProducer } from './partition-producer.ts'
import { TopicReader } from './topic-reader.ts'
import { type PartitionRecords, TransactionWriter } from './transaction-writer.ts'

const topics = ['cases', 'maintenance-feedback', 'case-commands'] as const
/** One for a plant: who opens it second shuts the first out. */
const transactionalId = 'millwright-cases'
/** Of the record that has the mark, on the topic of positions. */
const markKey = 'millwright-cases'

interface Mark {
  readonly timeMs: number
  readonly index: number
}

/**
 * Where cases and what people do to them go on Kafka.
 *
 * L1. Messages of `cases`, the verdicts that they bring about, and the mark of the last one are one transaction: all are there or none is.
 * L2. What is at or before the mark is there already, and is not written again, however far back the fold begins anew. The mark is read after
 *     an earlier writer was shut out and its transaction decided: it cannot change any more.
 * L3. One gateway writes, the last that was opened. Another that is shut out gives the same messages up: the fold is the same everywhere, so
 *     they are the other's to write.
 * L4. After a failed transaction the writer is opened anew, since Kafka may have decided either way.
 */
export class KafkaCaseLog implements CaseCommandPort {
  readonly #link: BrokerLink
  readonly #connection: KafkaConnection
  readonly #partitionCounts: readonly number[]
  readonly #commands: readonly PartitionProducer[]
  #writer: TransactionWriter | null = null
  #mark: Mark = { timeMs: Number.NEGATIVE_INFINITY, index: 0 }
  readonly #onShutOut: () => void
  #isShutOut = false
  #closed = false

  private constructor(
    link: BrokerLink,
    connection: KafkaConnection,
    partitionCounts: readonly number[],
    onShutOut: () => void,
  ) {
    this.#onShutOut = onShutOut
    this.#link = link
    this.#connection = connection
    this.#partitionCounts = partitionCounts
    this.#commands = Array.from(
      { length: partitionCounts[2] ?? 0 },
      (_, partition) => new PartitionProducer(producerPortOf(link), 'case-commands', partition),
    )
  }

  /**
   * Reaches Kafka, finds the topics and takes over from whoever wrote cases before.
   *
   * @param onShutOut Told once when another gateway takes over (L3).
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  static async open(connection: KafkaConnection, onShutOut: () => void): Promise<KafkaCaseLog> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-cases')
    try {
      const log = new KafkaCaseLog(link, connection, await link.partitionCounts([...topics]), onShutOut)
      await link.ensureCompactedTopic(positionsTopic)
      await log.#open()
      return log
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /**
   * Resolves when those that are not there yet are committed, or are another's to write. One call at a time.
   *
   * @param messages In the order of their marks.
   * @throws {KafkaUnreachableError | KafkaRefusedError | KafkaAuthenticationError | KafkaClosedError} To be called with the same ones again.
   */
  async appendCases(messages: readonly CaseLine[]): Promise<void> {
    if (this.#closed) throw new KafkaClosedError('The gateway to Kafka is closed.')
    if (this.#isShutOut) return
    try {
      const writer = this.#writer ?? (await this.#open())
      const missing = messages.filter((message) => isAfter(message, this.#mark))
      const last = missing.at(-1)
      if (last === undefined) return
      this.#writer = null
      const mark = { timeMs: last.causedAtMs, index: last.index }
      await writer.commit(this.#recordsOf(missing, mark))
      this.#mark = mark
      this.#writer = writer
    } catch (error) {
      if (!(error instanceof KafkaTakenOverError)) throw error
      this.#isShutOut = true
      this.#onShutOut()
    }
  }

  async appendCaseCommands(commands: readonly FeedbackLine[]): Promise<void> {
    if (this.#closed) throw new KafkaClosedError('The gateway to Kafka is closed.')
    const writes = [...feedbackRecords(commands, this.#commands.length)].map(([partition, records]) =>
      (this.#commands[partition] as PartitionProducer).write(records),
    )
    const outcomes = await Promise.allSettled(writes)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Gives up what is not acknowledged, and ends the connections. A transaction under way is ended by the next opening, or by Kafka after a minute. */
  async close(): Promise<void> {
    this.#closed = true
    for (const producer of this.#commands) producer.close()
    await this.#link.close()
  }

  /** L2. */
  async #open(): Promise<TransactionWriter> {
    const writer = await TransactionWriter.open(this.#link, transactionalId)
    const reader = await TopicReader.open(this.#connection, positionsTopic)
    try {
      for await (const { key, value } of reader.read({ partition: 0, from: 0 }))
        if (key === markKey && value.length > 0) this.#mark = JSON.parse(Buffer.from(value).toString()) as Mark
    } finally {
      await reader.close()
    }
    this.#writer = writer
    return writer
  }

  /** L1. */
  #recordsOf(messages: readonly CaseLine[], mark: Mark): PartitionRecords[] {
    const verdicts = messages.flatMap(({ feedback }) => (feedback === null ? [] : [feedback]))
    const parts = ([messages, verdicts] as const).flatMap((lines, index) =>
      [...feedbackRecords(lines, this.#partitionCounts[index] ?? 0)].map(([partition, records]) => ({
        topic: topics[index] as string,
        partition,
        records,
      })),
    )
    const record = { key: Buffer.from(markKey), value: Buffer.from(JSON.stringify(mark)) }
    return [...parts, { topic: positionsTopic, partition: 0, records: [record] }]
  }
}

function isAfter({ causedAtMs, index }: CaseLine, mark: Mark): boolean {
  return causedAtMs > mark.timeMs || (causedAtMs === mark.timeMs && index > mark.index)
}
