/**
 * Rows of readings and the window that each goes to. Readings are handed to the accumulators in runs, a channel at a time: a loop
 * over one column is several times faster than one over the channels of a row. Rows of one window stay in their order.
 */
export class ReadingRun {
  /** The first {@link count} are in use. */
  readonly rows: Int32Array
  readonly slots: Int32Array
  count = 0

  constructor(countMax: number) {
    this.rows = new Int32Array(countMax)
    this.slots = new Int32Array(countMax)
  }
}

/** What a run's rows are rows of. */
export interface RunColumns {
  readonly timestampsMs: Float64Array
  /** All channels of the plan; NaN = missing. */
  readonly channels: readonly Float64Array[]
  /** The channels of the accumulator layout, in its order. */
  readonly used: readonly Float64Array[]
}
