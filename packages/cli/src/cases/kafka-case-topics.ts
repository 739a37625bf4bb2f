import { partitionOf } from '@millwright/core'
import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'
import { questionMs, type ReadSlowly } from './case-topics.ts'

/** For reaching the broker and the first record, which says nothing of how much there is to read. */
const firstRecordMsMax = 10_000

/** Reads the topics of a plant on Kafka, each record with the append time of what caused it. */
export function kafkaTopics(connection: KafkaConnection): ReadSlowly {
  return async ({ topic, deviceId, fromTimeMs }, visit) => {
    const reader = await TopicReader.open(connection, topic)
    const end = new AbortController()
    let timer: NodeJS.Timeout | undefined
    try {
      const partition = partitionOf(deviceId, reader.partitionCount)
      // What was caused then or later was appended later still.
      const from = (await reader.offsets({ timeMs: Math.max(0, fromTimeMs) }))[partition] ?? 0
      let isFirst = true
      timer = setTimeout(() => end.abort(), firstRecordMsMax)
      for await (const { key, value, appendTimeMs, causeTimeMs } of reader.read({
        partition,
        from,
        signal: end.signal,
      })) {
        if (isFirst) {
          clearTimeout(timer)
          timer = setTimeout(() => end.abort(), questionMs)
        }
        isFirst = false
        if (visit({ key, value, appendTimeMs: causeTimeMs ?? appendTimeMs }) === 'enough') return false
      }
      return end.signal.aborted
    } finally {
      clearTimeout(timer)
      await reader.close()
    }
  }
}
