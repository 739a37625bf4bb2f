/**
 * Consecutive rows of readings and the window that each goes to. Readings are handed to the accumulators in runs, a channel at a
 * time: a loop over one column is several times faster than one over the channels of a row. Rows of one window stay in their
 * order.
 */
export class ReadingRun {
  /** Row of the first reading. */
  first = 0
  count = 0
  /** Window slot of row `first + i`. */
  readonly slots: Int32Array

  constructor(countMax: number) {
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
