import { type KafkaChannel, limits, partitionOf } from '@millwright/core'
import { producerPortOf } from '../kafka/idempotent-session.ts'
import { BrokerLink, KafkaRefusedError, PartitionProducer } from '../kafka/index.ts'
import type { DeliveryPort } from './delivery-port.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { webhookBody } from './webhook.ts'

/** What Kafka will not take however often it is offered. Source: apache/kafka `clients/…/protocol/Errors.java`. */
const refusingNames: ReadonlySet<unknown> = new Set([
  'MESSAGE_TOO_LARGE',
  'INVALID_RECORD',
  'POLICY_VIOLATION',
  'INVALID_TIMESTAMP',
])

/** Shorter than an attempt, so that its own words arrive. */
const producerTimes = { deliveryMsMax: limits.notifyAttemptMsMax - 3000, retryPauseMs: 100 }

/**
 * Writes each change to a topic, key = deviceId, acknowledged by all copies that are in sync. The message is that of a webhook. One
 * producer for each partition, so that what is sent again within a run is written once; after a crash a copy has the same id.
 */
export function openKafka(
  channel: Pick<KafkaChannel, 'servers' | 'topic' | 'tls' | 'login'>,
  use: { readonly plant: string; readonly password: string; readonly ca: string | null },
): DeliveryPort {
  const { servers, topic, tls, login } = channel
  const link = new BrokerLink(
    {
      bootstrapServers: servers,
      timeoutMs: limits.notifyAttemptMsMax - 5000,
      ...(tls ? { tls: use.ca === null ? {} : { authority: use.ca } } : {}),
      ...(login === null ? {} : { sasl: { mechanism: login.mechanism, username: login.user, password: use.password } }),
    },
    'millwright-notify',
  )
  const port = producerPortOf(link)
  let producers: readonly PartitionProducer[] = []

  return {
    batchMax: 1,
    paceMs: 0,
    target: `${topic} at ${servers.join(', ')}`,
    async send(batch, signal) {
      for (const notification of batch)
        try {
          if (producers.length === 0) {
            const [partitionCount = 0] = await link.partitionCounts([topic])
            producers = Array.from(
              { length: partitionCount },
              (_, p) => new PartitionProducer(port, topic, p, producerTimes),
            )
          }
          if (signal.aborted) throw new DeliveryFailedError(`${topic}: no answer in time`)
          const { deviceId } = notification
          const record = { key: Buffer.from(deviceId), value: Buffer.from(webhookBody(use.plant, notification)) }
          await producers[partitionOf(deviceId, producers.length)]?.write([record])
        } catch (error) {
          throw writeError(topic, error)
        }
    },
    async close() {
      for (const producer of producers) producer.close()
      await link.close()
    },
  }
}

function writeError(topic: string, error: unknown): Error {
  const text = `${topic}: ${error instanceof Error ? error.message : String(error)}`
  return error instanceof KafkaRefusedError && refusingNames.has(error.details['kafkaError'])
    ? new DeliveryRefusedError(text, { cause: error })
    : new DeliveryFailedError(text, { cause: error })
}
