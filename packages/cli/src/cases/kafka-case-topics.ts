import { partitionOf } from '@millwright/core'
import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'
import { questionMs, type ReadSlowly } from './case-topics.ts'

/** Reads the topics of a plant on Kafka, each record with the append time of what caused it. */
export function kafkaTopics(connection: KafkaConnection): ReadSlowly {
  return async ({ topic, deviceId, fromTimeMs }, visit) => {
    const reader = await TopicReader.open(connection, topic)
    try {
      const partition = partitionOf(deviceId, reader.partitionCount)
      // What was caused then or later was appended later still.
      const from = (await reader.offsets({ timeMs: Math.max(0, fromTimeMs) }))[partition] ?? 0
      const signal = AbortSignal.timeout(questionMs)
      for await (const { key, value, appendTimeMs, causeTimeMs } of reader.read({ partition, from, signal }))
        if (visit({ key, value, appendTimeMs: causeTimeMs ?? appendTimeMs }) === 'enough') return false
      return signal.aborted
    } finally {
      await reader.close()
    }
  }
}
