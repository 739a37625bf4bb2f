import { join } from 'node:path'
import { type AlertmanagerChannel, alertSeverities, type NotifyChannel, type Plan } from '@millwright/core'
import { pause } from '../kafka/passing-error.ts'
import { ChannelFile, type ChannelState } from './channel-file.ts'
import { channelFilter } from './channel-filter.ts'
import { DeliveryChannel } from './delivery-channel.ts'
import type { CaseSource, DeliveryClock } from './delivery-port.ts'
import type { DeliveryStatus } from './delivery-status.ts'
import { ChannelUnknownError } from './errors.ts'
import { portMaker } from './open-port.ts'
import { chanceOf } from './retry-pauses.ts'
import type { ChannelSecrets } from './secrets.ts'

/** All channels of a plant, each by itself. */
export interface Deliveries {
  status(): Promise<readonly DeliveryStatus[]>
  /**
   * Has a channel send again what is parked, and try at once what waits.
   *
   * @param name `null` for all.
   * @returns How many were parked.
   * @throws {ChannelUnknownError}
   */
  retry(name: string | null): number
  /** Ends all; what was delivered is saved. */
  close(): Promise<void>
}

/** The machine's own time. */
export const systemClock: DeliveryClock = { nowMs: () => Date.now(), pause }

/**
 * Starts the channels of a plan. None of them holds up anybody: one that cannot even begin says so in its status.
 *
 * @param options.directory Where the channels' states are; made when the first is saved.
 * @param options.seed Of the pauses between attempts.
 * @param options.clock Another one for tests.
 */
export function startDeliveries(options: {
  readonly plan: Pick<Plan, 'name' | 'notify'>
  readonly source: CaseSource
  readonly directory: string
  readonly secrets: ReadonlyMap<string, ChannelSecrets>
  readonly seed: number
  readonly clock?: DeliveryClock
}): Deliveries {
  const { plan, source, directory, secrets, seed, clock = systemClock } = options
  const channels = plan.notify.map((channel, index) => {
    const known = secrets.get(channel.name) ?? { password: null, ca: null }
    return new DeliveryChannel({
      name: channel.name,
      kind: channel.kind,
      source,
      store: new ChannelFile(channelPath(directory, channel.name)),
      openPort: portMaker({ channel, plant: plan.name, secrets: known, clock }),
      // What stands at an Alertmanager follows from every change of a case, also from those that end it.
      relevanceOf: channelFilter(channel.kind === 'alertmanager' ? everyChangeOf(channel) : channel),
      start: channel.since === 'now' ? 'end' : 'beginning',
      clock,
      chance: chanceOf(seed + index),
      secrets: known.password === null ? [] : [known.password],
    })
  })
  return {
    status: () => Promise.all(channels.map((channel) => channel.status())),
    retry(name) {
      const asked = channels.filter((channel) => name === null || channel.name === name)
      if (name !== null && asked.length === 0) throw channelUnknown(name, plan.notify)
      return asked.reduce((count, channel) => count + channel.retry(), 0)
    },
    async close() {
      await Promise.all(channels.map((channel) => channel.close()))
    },
  }
}

/** Its own filter says what may stand (./open-port.ts). */
function everyChangeOf(channel: AlertmanagerChannel): Parameters<typeof channelFilter>[0] {
  const [mildest] = alertSeverities
  return { ...channel, minSeverity: mildest, maxAgeMs: Number.POSITIVE_INFINITY }
}

/** What is saved of a channel of a plant that does not run; `null` where it never ran. @throws {ChannelFileDamagedError} */
export function readChannelState(directory: string, name: string): Promise<ChannelState | null> {
  return new ChannelFile(channelPath(directory, name)).read()
}

/** @returns What says that a plant has no such channel, and which it has. */
export function channelUnknown(name: string, known: readonly NotifyChannel[]): ChannelUnknownError {
  const names = known.map((channel) => channel.name).join(', ')
  return new ChannelUnknownError(
    `There is no channel "${name}": ${names === '' ? 'the project declares none (notify)' : `the project declares ${names}`}`,
    { details: { channel: name } },
  )
}

function channelPath(directory: string, name: string): string {
  return join(directory, `${name}.state`)
}
