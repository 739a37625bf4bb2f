import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'

/** A partition into which nothing was written lately. */
export interface QuietPartition {
  readonly topic: string
  readonly partition: number
  /** Since its newest record, by this machine's clock; `null` where it has none. */
  readonly quietMs: number | null
}

/** A gateway writes every second: what is quiet for so long has none. */
export const quietAfterMs = 10_000

/**
 * Finds the quiet partitions of topics, in the order of the topics.
 *
 * @param nowMs Epoch milliseconds; the brokers' clocks gave the times that it is compared with.
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
 */
export async function findQuietPartitions(
  connection: KafkaConnection,
  topics: readonly string[],
  nowMs: number,
): Promise<QuietPartition[]> {
  const found: QuietPartition[] = []
  for (const topic of topics) {
    const reader = await TopicReader.open(connection, topic)
    try {
      found.push(...quietOf(topic, await reader.newestTimesMs(), nowMs))
    } finally {
      await reader.close()
    }
  }
  return found
}

/** Which partitions of a topic are quiet, by the append times of their newest records. */
export function quietOf(topic: string, newestTimesMs: readonly (number | null)[], nowMs: number): QuietPartition[] {
  return newestTimesMs.flatMap((newestMs, partition) => {
    const quietMs = newestMs === null ? null : nowMs - newestMs
    return quietMs !== null && quietMs < quietAfterMs ? [] : [{ topic, partition, quietMs }]
  })
}

/**
 * What a person should know of quiet partitions, and do about them; `null` where there are none.
 *
 * @param merged Whether all records wait for the slowest partition, or only what waits for time.
 */
export function quietText(quiet: readonly QuietPartition[], merged: boolean): string | null {
  if (quiet.length === 0) return null
  const which = quiet
    .map(({ topic, partition, quietMs }) => {
      return `${topic} ${partition} (${quietMs === null ? 'nothing ever' : `for ${secondsText(quietMs)}`})`
    })
    .join(', ')
  const waits = merged
    ? 'This project looks at device events, so every reading waits until all partitions have come as far: as long as this stays so, nothing comes out.'
    : 'Silence and forgetting of devices wait until all partitions have come as far; windows and alerts do not.'
  return `Nothing was written lately to ${which}. ${waits} A gateway (millwright run --kafka …) writes to quiet partitions every second.`
}

function secondsText(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000)
  return seconds < 120
    ? `${seconds} s`
    : seconds < 7200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`
}
