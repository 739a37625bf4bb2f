import { limits } from '@millwright/core'
import { KafkaTopicMissingError } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { isPassing, pause } from './passing-error.ts'
import { TopicReader } from './topic-reader.ts'

/**
 * Where it stands how far something has come, each place in the transaction of what it is the place of: compacted, one partition. Of files
 * the key is the id of the source and the value `{"position":BYTES}`; of cases both are in `case-mark.ts`.
 */
export const positionsTopic = 'ingest-positions'
const visiblePauseMs = 200

/**
 * Opens a reader of the places. A topic that was just made is known to the broker that made it before it is known to all: so long it is waited for.
 *
 * Whoever reads its own place reads with `waitsForOpen`: a transaction that another program left open hides what was committed behind it.
 *
 * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
 */
export async function openPositions(connection: KafkaConnection): Promise<TopicReader> {
  for (const giveUpMs = performance.now() + limits.kafkaDeliveryMsMax; ; await pause(visiblePauseMs)) {
    try {
      return await TopicReader.open(connection, positionsTopic)
    } catch (error) {
      const maySucceed = error instanceof KafkaTopicMissingError || isPassing(error)
      if (!maySucceed || performance.now() >= giveUpMs) throw error
    }
  }
}
