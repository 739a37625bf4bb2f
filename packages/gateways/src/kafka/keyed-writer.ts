import { BrokerLink } from './broker-link.ts'
import { KafkaRefusedError } from './errors.ts'
import { producerPortOf } from './idempotent-session.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { PartitionProducer } from './partition-producer.ts'

/**
 * Writes records with keys of their own to a topic of one partition, in order; returns when all are acknowledged.
 *
 * @throws {KafkaRefusedError} Also when the topic has more partitions: the order would then mean nothing.
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError}
 */
export async function writeInOrder(
  connection: KafkaConnection,
  topic: string,
  records: readonly { readonly key: string; readonly value: Uint8Array }[],
): Promise<void> {
  const link = new BrokerLink(connection, 'millwright-publish')
  try {
    const [partitionCount = 0] = await link.partitionCounts([topic])
    if (partitionCount !== 1)
      throw new KafkaRefusedError(
        `${topic} has ${partitionCount} partitions: it must have one, so that its records have an order.`,
      )
    const producer = new PartitionProducer(producerPortOf(link), topic, 0)
    await producer.write(records.map(({ key, value }) => ({ key: Buffer.from(key), value })))
  } finally {
    await link.close()
  }
}
