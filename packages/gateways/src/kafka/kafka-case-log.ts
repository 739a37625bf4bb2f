import { type CaseCommandPort, type CaseLine, type FeedbackLine, limits } from '@millwright/core'
import { BrokerLink } from './broker-link.ts'
import { type CaseMark, caseTransaction, firstMark, isAfter, markIn, markOf, messagesAfter } from './case-mark.ts'
import { KafkaClosedError, KafkaTakenOverError } from './errors.ts'
import { producerPortOf } from './idempotent-session.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { feedbackRecords } from './kafka-feedback.ts'
import { PartitionProducer } from './partition-producer.ts'
import { openPositions, positionsTopic } from './positions.ts'
import type { ReadRange } from './topic-reader.ts'
import { TransactionWriter } from './transaction-writer.ts'

const topics = ['cases', 'maintenance-feedback', 'case-commands'] as const
/** One for a plant: who opens it second shuts the first out. */
const transactionalId = 'millwright-cases'

/**
 * Where cases and what people do to them go on Kafka.
 *
 * L1. Messages of `cases`, the verdicts that they bring about, and the mark of the last one are one transaction: all are there or none is.
 * L2. What is at or before the mark is there already, and is not written again, however far back the fold begins anew. The mark is read
 *     after an earlier writer was shut out, up to all that was written by then, when every transaction there is decided: it cannot change any more.
 * L3. One gateway writes, the last that was opened. Another waits until the mark has come to its messages: the fold is the same everywhere,
 *     so the writer has the same ones to write. Where it has not come in `kafkaCasesPatienceMs`, the writer is gone, or Kafka itself ended a
 *     transaction that took too long: then this one is opened again, which shuts the other out, should it be there after all.
 * L4. After a failed transaction the writer is opened anew, since Kafka may have decided either way.
 */
export class KafkaCaseLog implements CaseCommandPort {
  readonly #link: BrokerLink
  readonly #connection: KafkaConnection
  readonly #partitionCounts: { readonly cases: number; readonly feedback: number }
  readonly #commands: readonly PartitionProducer[]
  readonly #onTurn: (writes: boolean) => void
  readonly #closing = new AbortController()
  #writer: TransactionWriter | null = null
  #mark: CaseMark = firstMark
  /** Of the topic of positions. */
  #nextOffset = 0
  #isShutOut = false

  private constructor(
    link: BrokerLink,
    connection: KafkaConnection,
    [cases = 0, feedback = 0, commands = 0]: readonly number[],
    onTurn: (writes: boolean) => void,
  ) {
    this.#onTurn = onTurn
    this.#link = link
    this.#connection = connection
    this.#partitionCounts = { cases, feedback }
    this.#commands = Array.from(
      { length: commands },
      (_, partition) => new PartitionProducer(producerPortOf(link), 'case-commands', partition),
    )
  }

  /**
   * Reaches Kafka, finds the topics and takes over from whoever wrote cases before.
   *
   * @param onTurn Told `false` when this gateway is shut out, and `true` when it writes again (L3).
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  static async open(connection: KafkaConnection, onTurn: (writes: boolean) => void): Promise<KafkaCaseLog> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-cases')
    try {
      const log = new KafkaCaseLog(link, connection, await link.partitionCounts([...topics]), onTurn)
      await link.ensureCompactedTopic(positionsTopic)
      await log.#open()
      return log
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /**
   * Resolves when all of them are committed, by this gateway or by another. One call at a time.
   *
   * @param messages In the order of their marks.
   * @throws {KafkaUnreachableError | KafkaRefusedError | KafkaAuthenticationError | KafkaClosedError} To be called with the same ones again.
   */
  async appendCases(messages: readonly CaseLine[]): Promise<void> {
    for (;;) {
      this.#requireOpen()
      const last = messagesAfter(messages, this.#mark).at(-1)
      if (last === undefined) return
      try {
        if (this.#isShutOut && (await this.#comesTo(markOf(last)))) return
        await this.#commit(this.#writer ?? (await this.#open()), messages)
        return
      } catch (error) {
        if (!(error instanceof KafkaTakenOverError)) throw error
        this.#writer = null
        this.#isShutOut = true
        this.#onTurn(false)
      }
    }
  }

  async appendCaseCommands(commands: readonly FeedbackLine[]): Promise<void> {
    this.#requireOpen()
    const writes = [...feedbackRecords(commands, this.#commands.length)].map(([partition, records]) =>
      (this.#commands[partition] as PartitionProducer).write(records),
    )
    const outcomes = await Promise.allSettled(writes)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Gives up what is not acknowledged, and ends the connections. A transaction under way is ended by the next opening, or by Kafka after a minute. */
  async close(): Promise<void> {
    this.#closing.abort()
    for (const producer of this.#commands) producer.close()
    await this.#link.close()
  }

  /** L2. */
  async #open(): Promise<TransactionWriter> {
    const writer = await TransactionWriter.open(this.#link, transactionalId)
    await this.#readMark({ waitsForOpen: true, signal: this.#closing.signal })
    this.#requireOpen()
    this.#writer = writer
    if (this.#isShutOut) this.#onTurn(true)
    this.#isShutOut = false
    return writer
  }

  /** L1, L4. */
  async #commit(writer: TransactionWriter, messages: readonly CaseLine[]): Promise<void> {
    const missing = messagesAfter(messages, this.#mark)
    const last = missing.at(-1)
    if (last === undefined) return
    this.#writer = null
    const mark = markOf(last)
    await writer.commit(caseTransaction(missing, mark, this.#partitionCounts))
    this.#mark = mark
    this.#writer = writer
  }

  /** L3. @returns Whether the mark has come so far, in the time that one waits for it. @throws {KafkaClosedError} */
  async #comesTo(wanted: CaseMark): Promise<boolean> {
    const found = new AbortController()
    const patience = AbortSignal.timeout(limits.kafkaCasesPatienceMs)
    const signal = AbortSignal.any([found.signal, patience, this.#closing.signal])
    await this.#readMark({ follow: true, signal }, (mark) => {
      if (!isAfter(wanted, mark)) found.abort()
    })
    this.#requireOpen()
    return found.signal.aborted
  }

  async #readMark(
    range: Omit<ReadRange, 'partition' | 'from'>,
    told = (_: CaseMark): void => undefined,
  ): Promise<void> {
    const reader = await openPositions(this.#connection)
    try {
      for await (const record of reader.read({ ...range, partition: 0, from: this.#nextOffset })) {
        this.#nextOffset = record.offset + 1
        const mark = markIn(record)
        if (mark === null) continue
        this.#mark = mark
        told(mark)
      }
    } finally {
      await reader.close()
    }
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted) throw new KafkaClosedError('The gateway to Kafka is closed.')
  }
}
