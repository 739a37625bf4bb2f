import { initProducerIdV4, NumericMap, produceV9 } from '@platformatic/kafka'
import type { BrokerLink } from './broker-link.ts'
import type { NewRecord } from './record.ts'

/** Sequence numbers of Kafka are 31 bits and begin anew. Source: apache/kafka `clients/…/record/DefaultRecordBatch.java`, incrementSequence. */
const sequenceMax = 0x7fff_ffff
const allInSync = -1
const produceTimeoutMs = 10_000

/** By what brokers know a producer again. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Gets an identity of its own for a producer without transactions. @throws As `BrokerLink.askAny`. */
async function newIdentity(link: BrokerLink): Promise<ProducerIdentity> {
  const { producerId, producerEpoch } = await link.askAny('get a producer id from Kafka', (connection) =>
    initProducerIdV4.api.async(connection, null, produceTimeoutMs, -1n, -1),
  )
  return { producerId, producerEpoch }
}

/** A batch that is offered to one partition: the same however often it is sent. */
export interface OfferedBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly NewRecord[]
  readonly identity: ProducerIdentity
  /** Of its first record, in the partition, by this identity. */
  readonly sequence: number
  readonly transactionalId: string | null
}

/** The sequence number after so many records. */
export function sequenceAfter(sequence: number, recordCount: number): number {
  return sequence > sequenceMax - recordCount ? sequence - (sequenceMax - recordCount) - 1 : sequence + recordCount
}

/**
 * Sends a batch once, to all copies that are in sync. Sent again with the same identity and sequence, it is in the partition once.
 *
 * @throws As `BrokerLink.askLeader`. Whether it is in the partition is then not known, unless Kafka says so.
 */
export async function offer(link: BrokerLink, batch: OfferedBatch): Promise<void> {
  const { topic, partition, records, identity, sequence, transactionalId } = batch
  const timestamp = BigInt(Date.now())
  const messages = records.map(({ key, value }) => ({
    topic,
    partition,
    timestamp,
    ...(key === null ? {} : { key: bufferOf(key) }),
    value: bufferOf(value),
  }))
  const options = {
    ...identity,
    sequences: new NumericMap([[`${topic}:${partition}`, sequence]]),
    transactionalId,
  }
  await link.askLeader(`write to ${topic}-${partition}`, topic, partition, (connection) =>
    produceV9.api.async(connection, allInSync, produceTimeoutMs, messages, options),
  )
}

/** The same memory as Node's own kind of bytes. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What a producer asks of brokers. */
export interface ProducerPort {
  /** @throws As {@link newIdentity}. */
  newIdentity(): Promise<ProducerIdentity>
  /** @throws As {@link offer}. */
  offer(batch: OfferedBatch): Promise<void>
}

/** Asks them over a link. */
export function producerPortOf(link: BrokerLink): ProducerPort {
  return { newIdentity: () => newIdentity(link), offer: (batch) => offer(link, batch) }
}
