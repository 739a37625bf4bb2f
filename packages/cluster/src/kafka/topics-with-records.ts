import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'

/**
 * Finds those of some topics in which something committed is kept, in their order. What an aborted transaction wrote counts as well: its
 * place in the log is not given back.
 *
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
 */
export async function topicsWithRecords(connection: KafkaConnection, topics: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const topic of topics) {
    const reader = await TopicReader.open(connection, topic)
    try {
      const [first, end] = await Promise.all([reader.offsets('beginning'), reader.offsets('end')])
      if (end.some((offset, partition) => offset !== first[partition])) found.push(topic)
    } finally {
      await reader.close()
    }
  }
  return found
}
