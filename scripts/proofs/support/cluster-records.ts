import { Consumer, FetchIsolationLevels, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from '../../../packages/gateways/src/kafka/index.ts'

/** Sends keys, each as its own value, until it is stopped. What was sent is told by reading the topic, not by this. */
export function sendForever(
  connection: KafkaConnection,
  topic: string,
  keyCount: number,
  batch: { size: number; pauseMs: number },
): { stop(): Promise<{ sent: number; failed: number }> } {
  const producer = new Producer({
    ...clientOptions({ ...connection, timeoutMs: 10_000 }, 'proof'),
    serializers: stringSerializers,
    idempotent: true,
    retries: 20,
  })
  let stopping = false
  let sent = 0
  let failed = 0
  const work = (async () => {
    for (let next = 0; !stopping; ) {
      const messages = Array.from({ length: batch.size }, () => {
        const key = `device-${next++ % keyCount}`
        return { topic, key, value: key }
      })
      try {
        await producer.send({ messages })
        sent += messages.length
      } catch (error) {
        // A broker was killed: whether the batch is in the topic, the topic will tell.
        failed += error instanceof Error ? messages.length : 0
      }
      await new Promise((resolve) => setTimeout(resolve, batch.pauseMs))
    }
  })()
  return {
    async stop() {
      stopping = true
      await work
      await producer.close()
      return { sent, failed }
    },
  }
}

/**
 * Reads a topic from its beginning until there are `enough` records and then none more for `quietMs`.
 *
 * @param secondsMax After which it returns what it has.
 */
export async function readTopic(
  connection: KafkaConnection,
  topic: string,
  options: { committedOnly: boolean; enough: number; quietMs: number; secondsMax: number },
): Promise<string[]> {
  const consumer = new Consumer({
    ...clientOptions(connection, 'proof'),
    groupId: `proof-${Math.random().toString(36).slice(2)}`,
    deserializers: stringDeserializers,
    autocommit: false,
    isolationLevel: options.committedOnly ? FetchIsolationLevels.READ_COMMITTED : FetchIsolationLevels.READ_UNCOMMITTED,
  })
  const values: string[] = []
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'earliest',
    fallbackMode: 'earliest',
    maxWaitTime: 200,
  })
  let lastMs = performance.now()
  stream.on('data', ({ value }: { value: string }) => {
    values.push(value)
    lastMs = performance.now()
  })
  const deadlineMs = performance.now() + options.secondsMax * 1000
  for (;;) {
    const nowMs = performance.now()
    if ((values.length >= options.enough && nowMs - lastMs > options.quietMs) || nowMs > deadlineMs) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await stream.close()
  await consumer.close(true)
  return values
}
