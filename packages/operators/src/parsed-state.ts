import type { EventList } from './features/device-events.ts'
import type { WaitingReading } from './waiting-readings.ts'
import type { RawValues } from './windows/raw-values.ts'

/** A device's state as it was read, before any of it is in memory. What the fields mean: docs/formats/device-state.md. */
export interface ParsedState {
  readonly silent: boolean
  readonly clockMs: number
  readonly lastAppendMs: number
  readonly emittedEndMs: number
  /** Two words a hash, oldest first. */
  readonly hashes: readonly number[]
  readonly waiting: WaitingReading | null
  readonly windows: readonly ParsedWindow[]
  /** Entries, each start then columns. */
  readonly history: Float64Array
  /** One for each type. */
  readonly events: EventList[]
  /** Of the alert policy, as `AlertStates` puts it back; `null` where it remembers nothing. */
  readonly alert: Float64Array | null
}

export interface ParsedWindow {
  readonly startMs: number
  readonly endMs: number
  readonly readings: number
  readonly emittedStartMs: number
  readonly emissions: number
  readonly flags: number
  readonly accumulators: Float64Array
  readonly raw: RawValues | null
}
