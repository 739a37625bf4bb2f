import { createHmac } from 'node:crypto'
import type { DeliveryPort } from './delivery-port.ts'
import type { Notification } from './notification.ts'
import { postJson } from './post-json.ts'

/** A webhook, its secrets at hand. */
export interface WebhookOptions {
  readonly url: string
  readonly secret: string
  readonly plant: string
  /** PEM of the authorities to trust instead of Node's. */
  readonly ca: string | null
  /** Epoch milliseconds. */
  readonly nowMs: () => number
}

/**
 * Posts each change as JSON; docs/guide/notifications.md has the message and how a receiver checks it.
 *
 * `idempotency-key` is the notification's id and the same in each attempt; `millwright-timestamp` (seconds) and
 * `millwright-signature` are of the attempt, so that an old one cannot be sent again by someone who saw it.
 */
export function openWebhook({ url, secret, plant, ca, nowMs }: WebhookOptions): DeliveryPort {
  return {
    batchMax: 1,
    paceMs: 0,
    // The path may hold a token.
    target: new URL(url).origin,
    async send(batch, signal) {
      for (const notification of batch) {
        const body = webhookBody(plant, notification)
        const timestamp = String(Math.floor(nowMs() / 1000))
        const headers = {
          'idempotency-key': headerText(notification.id),
          'millwright-timestamp': timestamp,
          'millwright-signature': `v1=${signatureOf(secret, timestamp, body)}`,
        }
        await postJson({ url, body, headers, ca, signal })
      }
    },
    close: async () => undefined,
  }
}

/** The message: the id, the plant, the change, and the case as it is on the topic. */
export function webhookBody(plant: string, { id, change, record }: Notification): string {
  return `{"id":${JSON.stringify(id)},"plant":${JSON.stringify(plant)},"change":${JSON.stringify(change)},"case":${record}}`
}

/** HMAC-SHA256 in hex over the timestamp as it stands in the header, a point, and the bytes of the body. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
}

/** An id as a header can carry it: what is not visible ASCII, and `%`, as %XX of its UTF-8 bytes. */
export function headerText(id: string): string {
  return id.replace(/[^\x21-\x7e]|%/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
