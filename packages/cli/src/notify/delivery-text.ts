import type { DeliveryStatus, ParkedNotification } from '@millwright/gateways'

/** Parked ones that a person is shown; the rest are counted. */
const parkedShownMax = 10

/** What is known of a channel of a plant that does not run. */
export interface StoppedChannel {
  readonly name: string
  readonly kind: string
  /** `null`: it never ran. */
  readonly positions: readonly number[] | null
  readonly parked: readonly ParkedNotification[]
}

/** The channels of a running plant, for a person. */
export function deliveryText(channels: readonly DeliveryStatus[], nowMs: number): string {
  if (channels.length === 0) return 'The project declares no channel of notifications (notify).'
  return channels.map((channel) => channelText(channel, nowMs)).join('\n')
}

/** The channels of a plant that does not run, for a person. */
export function stoppedText(channels: readonly StoppedChannel[]): string {
  if (channels.length === 0) return 'The project declares no channel of notifications (notify).'
  return channels
    .map(({ name, kind, positions, parked }) => {
      const where = positions === null ? 'has not run yet' : `is done with offsets before ${positions.join(', ')}`
      return [`${name} (${kind}): ${where}`, ...parkedLines(parked)].join('\n')
    })
    .join('\n')
}

function channelText(channel: DeliveryStatus, nowMs: number): string {
  const { name, kind, target, state, pending, delivered, refused, failed, skipped, lastError, saveError } = channel
  const lines = [
    `${name} (${kind} to ${target}): ${state}; ${pending} pending, ${delivered} delivered, ${refused} refused, ${skipped} skipped, ${failed} attempts failed`,
  ]
  if (channel.oldestPendingAt !== null) lines.push(`  the oldest waits since ${timeText(channel.oldestPendingAt)}`)
  if (channel.nextAttemptAt !== null)
    lines.push(`  next attempt in ${Math.max(0, Math.ceil((channel.nextAttemptAt - nowMs) / 1000))} s`)
  if (lastError !== null) lines.push(`  last error, ${timeText(lastError.at)}: ${lastError.text}`)
  if (saveError !== null) lines.push(`  its position cannot be saved: ${saveError}`)
  return [...lines, ...parkedLines(channel.parked)].join('\n')
}

function parkedLines(parked: readonly ParkedNotification[]): string[] {
  const lines = parked
    .slice(0, parkedShownMax)
    .map(({ id, refusedAt, reason }) => `  parked ${id}, ${timeText(refusedAt)}: ${reason}`)
  return parked.length > parkedShownMax ? [...lines, `  and ${parked.length - parkedShownMax} more parked`] : lines
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
