import { limits } from '@millwright/core'
import { addPartitionsToTxnV3, endTxnV3, initProducerIdV4 } from '@platformatic/kafka'
import type { BrokerLink } from './broker-link.ts'
import { KafkaRefusedError, KafkaTakenOverError } from './errors.ts'
import { offer, type ProducerIdentity, sequenceAfter } from './idempotent-session.ts'
import { untilPassed } from './passing-error.ts'
import { type NewRecord, recordBytes } from './record.ts'

/** Records for one partition of a topic. */
export interface PartitionRecords {
  readonly topic: string
  readonly partition: number
  readonly records: readonly NewRecord[]
}

const takenOverNames: ReadonlySet<unknown> = new Set(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'])

/**
 * Writes records in transactions: all of one or none, for readers of committed records.
 *
 * T1. Opening ends what an earlier writer of the same id left open, and shuts that one out for good.
 * T2. `commit` resolves only when Kafka has decided for it. When it throws, Kafka may have decided either way: the writer is of no
 *     further use, and whoever opens the next one learns by reading which it was.
 */
export class TransactionWriter {
  readonly #link: BrokerLink
  readonly #id: string
  readonly #identity: ProducerIdentity
  readonly #sequences = new Map<string, number>()

  private constructor(link: BrokerLink, id: string, identity: ProducerIdentity) {
    this.#link = link
    this.#id = id
    this.#identity = identity
  }

  /**
   * Opens the writer of an id (T1). Waits until a transaction that was left open is ended.
   *
   * @throws {KafkaUnreachableError | KafkaRefusedError | KafkaAuthenticationError}
   */
  static async open(link: BrokerLink, id: string): Promise<TransactionWriter> {
    const { producerId, producerEpoch } = await untilPassed(deadline(), () =>
      link.askCoordinator('open a transaction', id, (connection) =>
        initProducerIdV4.api.async(connection, id, limits.kafkaTransactionMsMax, -1n, -1),
      ),
    )
    return new TransactionWriter(link, id, { producerId, producerEpoch })
  }

  /**
   * Writes records of any partitions in one transaction, each partition's in its order, and commits it, with what `write` wrote before.
   *
   * @throws {KafkaTakenOverError} When another writer of this id was opened.
   * @throws {KafkaUnreachableError | KafkaRefusedError | KafkaAuthenticationError} By T2.
   */
  async commit(parts: readonly PartitionRecords[]): Promise<void> {
    await this.write(parts)
    await this.#guarded(() =>
      untilPassed(deadline(), () =>
        this.#link.askCoordinator('commit a transaction', this.#id, (connection) =>
          endTxnV3.api.async(connection, this.#id, this.#identity.producerId, this.#identity.producerEpoch, true),
        ),
      ),
    )
  }

  /** Writes records and leaves the transaction open. Nobody who reads committed records sees them, or what comes after. @throws As {@link commit}. */
  async write(parts: readonly PartitionRecords[]): Promise<void> {
    const limit = deadline()
    await this.#guarded(async () => {
      await untilPassed(limit, () =>
        this.#link.askCoordinator('begin a transaction', this.#id, (connection) =>
          addPartitionsToTxnV3.api.async(connection, [
            { ...this.#names(), verifyOnly: false, topics: topicsOf(parts) },
          ]),
        ),
      )
      await allSettledOrThrow(parts.map((part) => this.#write(part, limit)))
    })
  }

  async #guarded(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (error instanceof KafkaRefusedError && takenOverNames.has(error.details['kafkaError']))
        throw new KafkaTakenOverError(
          'Another program has begun to write in the place of this one, or Kafka has ended a transaction that took longer than a minute.',
          { cause: error },
        )
      throw error
    }
  }

  async #write({ topic, partition, records }: PartitionRecords, limit: { deadlineMs: number }): Promise<void> {
    const place = `${topic}-${partition}`
    for (const batch of batchesOf(records)) {
      const sequence = this.#sequences.get(place) ?? 0
      const offered = {
        topic,
        partition,
        records: batch,
        identity: this.#identity,
        sequence,
        transactionalId: this.#id,
      }
      await untilPassed(limit, () => offer(this.#link, offered))
      this.#sequences.set(place, sequenceAfter(sequence, batch.length))
    }
  }

  #names(): { transactionalId: string } & ProducerIdentity {
    return { transactionalId: this.#id, ...this.#identity }
  }
}

function deadline(): { readonly deadlineMs: number } {
  return { deadlineMs: performance.now() + limits.kafkaDeliveryMsMax }
}

function topicsOf(parts: readonly PartitionRecords[]): { name: string; partitions: number[] }[] {
  const byName = new Map<string, number[]>()
  for (const { topic, partition } of parts) byName.set(topic, [...(byName.get(topic) ?? []), partition])
  return [...byName].map(([name, partitions]) => ({ name, partitions }))
}

/** Nothing of a failed transaction is under way any more when this throws. */
async function allSettledOrThrow(work: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason
}

function* batchesOf(records: readonly NewRecord[]): Generator<NewRecord[]> {
  let batch: NewRecord[] = []
  let byteLength = 0
  for (const record of records) {
    if (batch.length > 0 && byteLength + recordBytes(record) > limits.kafkaBatchBytesMax) {
      yield batch
      batch = []
      byteLength = 0
    }
    batch.push(record)
    byteLength += recordBytes(record)
  }
  if (batch.length > 0) yield batch
}
