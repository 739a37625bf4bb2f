import type { AlertEvent, AlertFeed } from '../http/alert-feed.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import type { KafkaRecord } from './record.ts'
import { TopicReader } from './topic-reader.ts'

const topic = 'alert-signals'

/** An alert feed that keeps up with Kafka until it is closed. */
export interface KafkaAlertFeed extends AlertFeed {
  /** Why alerts do not come at the moment; `null` where they do. */
  readonly failure: Error | null
  close(): Promise<void>
}

/**
 * The alerts of a plant whose operators run elsewhere: committed records of `alert-signals`, from now on, and from any place before.
 *
 * The feed follows every partition from the end that it had at the start. While Kafka is away nothing comes; nothing is lost, since
 * reading goes on where it stopped.
 *
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
 */
export async function openKafkaAlertFeed(connection: KafkaConnection): Promise<KafkaAlertFeed> {
  const reader = await TopicReader.open(connection, topic)
  const stop = new AbortController()
  const listeners = new Set<(events: readonly AlertEvent[]) => void>()
  const away = new Map<number, Error>()
  let ends: number[]
  try {
    ends = await reader.offsets('end')
  } catch (error) {
    await reader.close()
    throw error
  }

  async function follow(partition: number, from: number): Promise<void> {
    const onAway = (error: Error | null): void =>
      void (error === null ? away.delete(partition) : away.set(partition, error))
    try {
      for await (const record of reader.read({ partition, from, follow: true, signal: stop.signal, onAway })) {
        ends[partition] = record.offset + 1
        for (const listener of listeners) listener([eventOf(record)])
      }
    } catch (error) {
      // Not let in any more, or the topic is gone: said by whoever asks whether the plant is ready.
      away.set(partition, error as Error)
    }
  }

  const following = ends.map((from, partition) => follow(partition, from))
  return {
    get failure() {
      return [...away.values()][0] ?? null
    },
    ends: () => [...ends],
    async *read(from, signal) {
      const to = [...ends]
      for (const [partition, first] of from.entries())
        for await (const record of reader.read({ partition, from: first, to: to[partition] ?? 0, signal }))
          yield eventOf(record)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      stop.abort()
      await Promise.all(following)
      await reader.close()
    },
  }
}

function eventOf({ partition, offset, value }: KafkaRecord): AlertEvent {
  return { partition, offset, line: Buffer.from(value).toString() }
}
