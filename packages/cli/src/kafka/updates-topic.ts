import { type KafkaConnection, type KafkaRecord, TopicReader, writeInOrder } from '@millwright/gateways/kafka'

/** Name of the topic of packages and activations. */
export const updatesTopicName = 'model-updates'

/** The topic `model-updates`: one partition, so that its records have an order. */
export interface UpdatesTopic {
  /** The committed records from an offset to the end that the topic has now, in order. */
  read(from: number): AsyncIterable<KafkaRecord>
  /** Writes records at the end, in this order; resolves when all are acknowledged. */
  append(records: readonly { readonly key: string; readonly value: Uint8Array }[]): Promise<void>
  close(): Promise<void>
}

/** The topic as Kafka has it. @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError} */
export async function openUpdatesTopic(connection: KafkaConnection): Promise<UpdatesTopic> {
  const reader = await TopicReader.open(connection, updatesTopicName)
  return {
    read: (from) => reader.read({ partition: 0, from }),
    append: (records) => writeInOrder(connection, updatesTopicName, records),
    close: () => reader.close(),
  }
}
