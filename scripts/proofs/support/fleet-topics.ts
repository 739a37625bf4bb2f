import { partitionOf } from '@millwright/core'
import { clientOptions, type KafkaConnection } from '@millwright/gateways/kafka'
import { Producer } from '@platformatic/kafka'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'
import { type TopicDefinition, topicDefinitions } from '../../../packages/cluster/src/kafka/topic-definitions.ts'
import type { FleetRecord } from './generated-fleet.ts'
import type { UpdateRecord } from './generated-models.ts'
import { eventually } from './proof.ts'

export const partitionCount = 3
const recordsPerSend = 2000

/** A plant's topics that take append times as they are given, so that a made history has the times it was made with. */
export function topicsOfGivenTimes(): TopicDefinition[] {
  return topicDefinitions({ partitionCount }).map((definition) => ({
    ...definition,
    settings: {
      ...definition.settings,
      'message.timestamp.type': 'CreateTime',
      ...(definition.settings['cleanup.policy'] === 'compact' ? {} : { 'retention.ms': '-1' }),
    },
  }))
}

/** Makes topics anew: what was in them is gone. */
export async function renewTopics(cluster: DevelopmentCluster, definitions: readonly TopicDefinition[]): Promise<void> {
  const kafka = cluster.openKafka()
  const names = definitions.map(({ name }) => name)
  try {
    const { created } = await kafka.ensureTopics(definitions)
    if (created.length === names.length) return
    await kafka.removeTopics(names)
    // A topic that was removed is there for a while.
    await eventually('topics made anew', 60, async () => {
      const again = await kafka.ensureTopics(definitions)
      if (again.created.length === names.length) return true
      await kafka.removeTopics(names)
      return null
    })
  } finally {
    await kafka.close()
  }
}

/** Writes records and updates of a generated fleet, each with its append time. */
export class FleetWriter {
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>

  constructor(connection: KafkaConnection) {
    this.#producer = new Producer({ ...clientOptions(connection, 'proof-fleet'), idempotent: true, retries: 20 })
  }

  /** Updates go one by one: several parts of packages do not fit one request. */
  async updates(records: readonly UpdateRecord[]): Promise<void> {
    for (const { key, value, appendTimeMs } of records)
      await this.#send([{ topic: 'model-updates', partition: 0, key, value: Buffer.from(value), appendTimeMs }])
  }

  /** In the partitions of their keys. */
  async records(records: readonly FleetRecord[]): Promise<void> {
    await this.#send(
      records.map((record) => ({
        ...record,
        partition: partitionOf(record.key, partitionCount),
        value: Buffer.from(record.value),
      })),
    )
  }

  /** Carries time forward by an empty record in each partition, as a gateway does. */
  async time(appendTimeMs: number): Promise<void> {
    await this.#send(
      (['sensor-data', 'device-events'] as const).flatMap((topic) =>
        Array.from({ length: partitionCount }, (_, partition) => {
          return { topic, partition, key: 'time', value: Buffer.alloc(0), appendTimeMs }
        }),
      ),
    )
  }

  async close(): Promise<void> {
    await this.#producer.close()
  }

  async #send(
    records: readonly { topic: string; partition: number; key: string; value: Buffer; appendTimeMs: number }[],
  ): Promise<void> {
    for (let from = 0; from < records.length; from += recordsPerSend)
      await this.#producer.send({
        messages: records.slice(from, from + recordsPerSend).map(({ appendTimeMs, key, ...message }) => {
          return { ...message, key: Buffer.from(key), timestamp: BigInt(appendTimeMs) }
        }),
      })
  }
}
