import type { CaseSource, SourceRecord } from '@millwright/gateways'
import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'

/** The topic `cases` of Kafka, for notification channels: committed records only, each channel with connections of its own. */
export class KafkaCases implements CaseSource {
  readonly #reader: TopicReader

  private constructor(reader: TopicReader) {
    this.#reader = reader
  }

  /** @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError} */
  static async open(connection: KafkaConnection): Promise<KafkaCases> {
    return new KafkaCases(await TopicReader.open(connection, 'cases'))
  }

  ends(): Promise<readonly number[]> {
    return this.#reader.offsets('end')
  }

  async *follow(from: readonly number[], signal: AbortSignal): AsyncGenerator<SourceRecord> {
    const partitions = Array.from({ length: this.#reader.partitionCount }, (_, partition) =>
      this.#reader.read({ partition, from: from[partition] ?? 0, follow: true, signal }),
    )
    /** The next of each partition: asked for when the one before was taken. */
    const next = new Map(partitions.map((records, partition) => [partition, taken(records, partition)]))
    try {
      while (next.size > 0) {
        const { partition, result } = await Promise.race(next.values())
        const records = partitions[partition]
        if (result.done === true || records === undefined) {
          next.delete(partition)
          continue
        }
        yield result.value
        next.set(partition, taken(records, partition))
      }
    } finally {
      await Promise.all(partitions.map((records) => records.return()))
    }
  }

  async at(partition: number, offset: number): Promise<SourceRecord | null> {
    for await (const record of this.#reader.read({ partition, from: offset, to: offset + 1 }))
      if (record.offset === offset) return record
    return null
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }
}

async function taken<T>(records: AsyncGenerator<T, void>, partition: number) {
  return { partition, result: await records.next() }
}
