import { randomBytes } from 'node:crypto'
import type { MqttChannel } from '@millwright/core'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import type { DeliveryPort } from './delivery-port.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { webhookBody } from './webhook.ts'

const connectMsMax = 10_000

/** What of MQTT 5's reasons not to take a message stays so. Source: MQTT 5.0, table 2-6 (payload or topic that cannot be). */
const refusingReasons: ReadonlySet<number> = new Set([0x90, 0x95, 0x99])

/**
 * The library's words for a PUBACK with another reason than MQTT 5.0, table 3-4 has. Mosquitto gives "packet too large" there for a message
 * beyond its `message_size_limit`: the broker has answered, and not taken it.
 */
const unknownReason = 'Invalid puback reason code'

/**
 * Publishes each change with quality of service 1: taken when the broker has acknowledged it. The message is that of a webhook.
 *
 * Connects when there is something to tell, and keeps the connection. The client neither connects again nor stores anything by
 * itself: what is not acknowledged is on the topic `cases`, and the channel tries again.
 */
export function openMqtt(
  channel: Pick<MqttChannel, 'url' | 'topic' | 'protocol' | 'login'>,
  use: { readonly plant: string; readonly password: string; readonly ca: string | null },
): DeliveryPort {
  const { url, login, protocol } = channel
  const { host } = new URL(url)
  let client: MqttClient | null = null

  async function connected(signal: AbortSignal): Promise<MqttClient> {
    if (client?.connected) return client
    client?.end(true)
    client = null
    const options: IClientOptions = {
      // Of its own each: a second one of the same name would throw this one out.
      clientId: `millwright-${randomBytes(6).toString('hex')}`,
      protocolVersion: protocol === '5' ? 5 : 4,
      reconnectPeriod: 0,
      connectTimeout: connectMsMax,
      keepalive: 30,
      clean: true,
      resubscribe: false,
      queueQoSZero: false,
      ...(login === null ? {} : { username: login.user, password: use.password }),
      ...(use.ca === null ? {} : { ca: use.ca }),
    }
    try {
      const made = await connectAsync(url, options, false)
      // A connection that ends later is found at the next message.
      made.on('error', () => undefined)
      client = made
    } catch (cause) {
      throw new DeliveryFailedError(`${host}: ${textOf(cause)}`, { cause })
    }
    if (signal.aborted) throw new DeliveryFailedError(`${host}: no answer in time`)
    return client
  }

  return {
    batchMax: 1,
    paceMs: 0,
    target: `${channel.topic} at ${host}`,
    async send(batch, signal) {
      for (const notification of batch) {
        const broker = await connected(signal)
        const topic = channel.topic
          .replaceAll('{plant}', use.plant)
          .replaceAll('{device}', topicLevel(notification.deviceId))
        const userProperties = { id: notification.id }
        const options = {
          qos: 1,
          ...(protocol === '5' ? { properties: { contentType: 'application/json', userProperties } } : {}),
        } as const
        try {
          await acknowledged(broker, signal, broker.publishAsync(topic, webhookBody(use.plant, notification), options))
        } catch (error) {
          broker.end(true)
          throw publishError(host, error)
        }
      }
    },
    async close() {
      await client?.endAsync(true)
    },
  }
}

/** A device id as one level of a topic: what separates levels or matches several becomes %XX. */
export function topicLevel(deviceId: string): string {
  return deviceId.replace(/[/+#%]/g, (character) => encodeURIComponent(character))
}

/**
 * The library leaves a message open whose connection ends: that is an end, too. A broker that ends it because of the message says so just
 * before, by DISCONNECT (MQTT 5.0, 3.14) or by an answer that the library does not understand.
 */
function acknowledged(client: MqttClient, signal: AbortSignal, published: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let why: Error | null = null
    const onDisconnect = ({ reasonCode }: { readonly reasonCode?: number }): void => {
      if (reasonCode !== undefined)
        why ??= Object.assign(new Error(`the broker ended the connection: ${reasonText(reasonCode)}`), {
          code: reasonCode,
        })
    }
    // After an answer that it cannot read the library leaves the connection as it is.
    const onError = (error: Error): void => reject(why ?? error)
    const onClose = (): void => reject(why ?? new Error('the connection ended before the broker had acknowledged'))
    const onAbort = (): void => reject(new Error('no acknowledgement in time'))
    client.on('disconnect', onDisconnect)
    client.on('error', onError)
    client.once('close', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    published
      .then(
        () => resolve(),
        (error: unknown) => reject(why ?? error),
      )
      .finally(() => {
        client.off('disconnect', onDisconnect)
        client.off('error', onError)
        client.off('close', onClose)
        signal.removeEventListener('abort', onAbort)
      })
  })
}

function publishError(host: string, error: unknown): Error {
  const reason = typeof error === 'object' && error !== null && 'code' in error ? Number(error.code) : Number.NaN
  const isUnknownReason = error instanceof Error && error.message === unknownReason
  const text = `${host}: ${isUnknownReason ? 'refused, for a reason that MQTT 5 does not have for it' : textOf(error)}`
  return refusingReasons.has(reason) || isUnknownReason
    ? new DeliveryRefusedError(text, { cause: error })
    : new DeliveryFailedError(text, { cause: error })
}

function reasonText(reason: number): string {
  return reason === 0x95 ? 'Packet too large' : `reason 0x${reason.toString(16)}`
}

/** An error of several connections (IPv4 and IPv6) has no words of its own. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}
