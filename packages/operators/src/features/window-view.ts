import type { RawValues } from '../windows/raw-values.ts'

/**
 * The window whose features are being calculated. One object serves all windows: evaluators are compiled against it, and the
 * program points it at a window before it calls them.
 */
export interface WindowView {
  device: number
  startMs: number
  endMs: number
  /** Accepted readings. */
  readings: number
  /** The table that holds the window's accumulators, and where they begin. */
  fields: Float64Array
  base: number
  /** `null` where the plan keeps no raw values. */
  raw: RawValues | null
  /** Entries of the device's history before this window. */
  historyBefore: number
  /** What this window puts into the history. */
  entry: Float64Array
  /** Name of the feature being calculated, for errors. */
  featureName: string
  /** Whether all that was read for the feature being calculated is known; see `notKnown`. */
  known: boolean
}
