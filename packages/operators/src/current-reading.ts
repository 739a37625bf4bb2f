import type { ReadingBatch } from '@millwright/core'
import { type Fold, foldRowsMax } from '@millwright/kernels'
import type { ReadingHash } from './redelivery.ts'

/** Readings that may be at hand at once: each has a row of its own beside the batch. */
export type SpareRow = 0 | 1

/**
 * One reading taken out of a batch, so that it may be cleaned or kept. It stands as a row beside the batch as well, and so is hashed
 * and added to windows by the very code that does the same for the rows of the batch.
 */
export class CurrentReading {
  timestampMs = Number.NaN
  /** One value per channel, NaN = missing. Whoever changes them calls {@link settle}. */
  readonly values: Float64Array
  readonly #fold: Fold
  readonly #row: number

  constructor(fold: Fold, channelCount: number, spareRow: SpareRow) {
    this.#fold = fold
    this.#row = foldRowsMax + spareRow
    this.values = new Float64Array(channelCount)
  }

  /** Takes the values as the batch has them; what is hashed and added is still the reading before, until {@link settle}. */
  takeRow(batch: ReadingBatch, row: number, timestampMs: number): void {
    this.timestampMs = timestampMs
    for (let k = 0; k < this.values.length; k++) this.values[k] = (batch.channels[k] as Float64Array)[row] as number
  }

  take(timestampMs: number, values: Float64Array): void {
    this.timestampMs = timestampMs
    this.values.set(values)
    this.settle()
  }

  /** The values are what they will be. */
  settle(): void {
    this.#fold.writeReading(this.#row, this.timestampMs, this.values)
  }

  hash(): ReadingHash {
    return this.#fold.hashOf(this.#row)
  }

  /** Adds the reading to a window: all that the accumulators keep, and the count. */
  addTo(slot: number): void {
    this.#fold.addToWindow(this.#row, slot)
  }
}
