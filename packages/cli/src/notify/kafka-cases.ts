import type { CaseSource, SourceRecord } from '@millwright/gateways'
import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'
import { asTheyCome } from './as-they-come.ts'

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
    const left = new AbortController()
    const until = AbortSignal.any([signal, left.signal])
    const partitions = Array.from({ length: this.#reader.partitionCount }, (_, partition) =>
      this.#reader.read({ partition, from: from[partition] ?? 0, follow: true, signal: until }),
    )
    yield* asTheyCome(partitions, () => left.abort())
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
