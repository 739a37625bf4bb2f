import type { DeliveryStatus } from '@millwright/gateways'
import type { GaugeReading } from '../plant/metrics.ts'

/** What the channels of notifications count; nothing where the plant has none. Labels are the project's own names. */
export function deliveryMetrics(channels: readonly DeliveryStatus[], nowMs: number): GaugeReading[] {
  if (channels.length === 0) return []
  const each = (read: (channel: DeliveryStatus) => number): GaugeReading['values'] =>
    channels.map((channel) => ({ labels: { channel: channel.name }, value: read(channel) }))
  const outcomes = ['delivered', 'refused', 'failed', 'skipped'] as const
  return [
    {
      name: 'deliveries_total',
      help: 'notifications by what became of them; of failed ones each attempt',
      kind: 'counter',
      values: channels.flatMap((channel) =>
        outcomes.map((outcome) => ({ labels: { channel: channel.name, outcome }, value: channel[outcome] })),
      ),
    },
    {
      name: 'deliveries_pending',
      help: 'notifications that their peer has not taken yet',
      values: each(({ pending }) => pending),
    },
    {
      name: 'deliveries_parked',
      help: 'notifications that their peer refused, kept to be sent again',
      values: each(({ parked }) => parked.length),
    },
    {
      name: 'delivery_lag_seconds',
      help: 'since the oldest notification that waits was written; 0 when none does',
      values: each(({ oldestPendingAt }) =>
        oldestPendingAt === null ? 0 : Math.max(0, (nowMs - oldestPendingAt) / 1000),
      ),
    },
    {
      name: 'delivery_working',
      help: '1 where the channel works or has nothing to do, 0 where it waits after a failure, is held or has stopped',
      values: each(({ state }) => (state === 'idle' || state === 'sending' || state === 'starting' ? 1 : 0)),
    },
  ]
}
