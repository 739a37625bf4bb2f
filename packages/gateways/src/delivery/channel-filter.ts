import { alertSeverities, idPattern, type NotifyChannelBase } from '@millwright/core'
import { type Notification, openingWindowEnd } from './notification.ts'

/** `other`: not for this channel. `history`: it would be, were it not of windows that are long past. */
export type Relevance = 'wanted' | 'other' | 'history'

/**
 * Makes what says which changes a channel tells.
 *
 * History that is read in gets append times of today: what tells it from news is how old its windows were then. A change that the
 * plant makes is history where its newest window *and* the window that opened its case were older than `maxAge` when it said so.
 * So a case that began as news is told of to its end, however quiet it was meanwhile, and one that began as history becomes news with
 * its first new window. What a person does is never history. No clock is asked: a channel that was down for days misses nothing.
 */
export function channelFilter(
  channel: Pick<NotifyChannelBase, 'on' | 'minSeverity' | 'devices' | 'maxAgeMs' | 'since'>,
): (notification: Notification) => Relevance {
  const changes: ReadonlySet<string> = new Set(channel.on)
  const severityMin = alertSeverities.indexOf(channel.minSeverity)
  const isDevice = devicePattern(channel.devices)
  const sinceMs = channel.since === 'now' || channel.since === 'beginning' ? 0 : Date.parse(channel.since)
  return (notification) => {
    const { change, severity, deviceId, at, openedAt, windowEnd, byPerson, caseId } = notification
    if (!changes.has(change) || alertSeverities.indexOf(severity) < severityMin || !isDevice(deviceId)) return 'other'
    if (at < sinceMs) return 'history'
    const openedFor = openedAt - (openingWindowEnd(caseId) ?? openedAt)
    return !byPerson && at - windowEnd > channel.maxAgeMs && openedFor > channel.maxAgeMs ? 'history' : 'wanted'
  }
}

/** Says whether an id is one of these; `*` stands for any characters. */
export function devicePattern(devices: readonly string[]): (deviceId: string) => boolean {
  const patterns = devices.map(idPattern)
  return (deviceId) => patterns.some((isOf) => isOf(deviceId))
}
