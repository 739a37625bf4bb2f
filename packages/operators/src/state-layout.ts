import { type AccumulatorLayout, accumulatorsWith } from './accumulators/layout.ts'
import { partsOf, type StateShape } from './state-shape.ts'
import type { RawLayout } from './windows/raw-values.ts'

/** What must be known of a shape to read its bytes. */
export interface StateLayout {
  readonly channelCount: number
  /** Whether readings are remembered for redelivery. */
  readonly redelivery: boolean
  readonly accumulators: AccumulatorLayout
  readonly raw: RawLayout | null
  readonly historyColumnCount: number
  readonly historyCapacity: number
  readonly eventTypeCount: number
  /** Windows' answers that an alert policy keeps; `null`: it remembers nothing. */
  readonly alertWindows: number | null
}

/** Returns how states of a shape are laid out. */
export function stateLayout(shape: StateShape): StateLayout {
  const { channels, history, raw } = shape
  const index = (name: string): number => channels.indexOf(name)
  const kept = shape.accumulators.map(({ channel, parts }) => ({ channel: index(channel), parts: partsOf(parts) }))
  return {
    channelCount: channels.length,
    redelivery: shape.timestamp === 'event',
    accumulators: accumulatorsWith(kept),
    raw: raw === null ? null : { channels: raw.channels.map(index), timestamps: raw.timestamps },
    historyColumnCount: history.columns.length,
    historyCapacity: history.capacity,
    eventTypeCount: shape.eventTypes.length,
    alertWindows: shape.alert?.windows ?? null,
  }
}
