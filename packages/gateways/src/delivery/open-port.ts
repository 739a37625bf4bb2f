import type { NotifyChannel } from '@millwright/core'
import { channelFilter, devicePattern } from './channel-filter.ts'
import type { DeliveryClock, DeliveryPort } from './delivery-port.ts'
import type { ChannelSecrets } from './secrets.ts'

/**
 * Makes what opens a channel's way to its peer. Only the client of that kind is loaded: a plant that tells nobody starts as quickly as
 * before. Nothing is connected before the first send.
 */
export function portMaker(options: {
  readonly channel: NotifyChannel
  /** Name of the plant. */
  readonly plant: string
  readonly secrets: ChannelSecrets
  readonly clock: DeliveryClock
}): (kept: unknown) => Promise<DeliveryPort> {
  const { channel, plant, secrets, clock } = options
  const { ca } = secrets
  const secret = secrets.password ?? ''
  return async (kept) => {
    switch (channel.kind) {
      case 'webhook': {
        const { openWebhook } = await import('./webhook.ts')
        return openWebhook({ url: channel.url, secret, plant, ca, nowMs: clock.nowMs })
      }
      case 'email': {
        const { openMail } = await import('./mail.ts')
        return openMail(channel, { plant, password: secret, ca })
      }
      case 'mqtt': {
        const { openMqtt } = await import('./mqtt.ts')
        return openMqtt(channel, { plant, password: secret, ca })
      }
      case 'kafka': {
        const { openKafka } = await import('./kafka.ts')
        return openKafka(channel, { plant, password: secret, ca })
      }
      case 'alertmanager': {
        const { openAlertmanager } = await import('./alertmanager.ts')
        const relevanceOf = channelFilter(channel)
        return openAlertmanager(channel, {
          plant,
          password: secret,
          ca,
          nowMs: clock.nowMs,
          kept,
          mayStand: (n) => relevanceOf(n) === 'wanted',
          isDevice: devicePattern(channel.devices),
        })
      }
    }
  }
}
