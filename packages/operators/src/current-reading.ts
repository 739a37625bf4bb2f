import type { ReadingBatch } from '@millwright/core'
import type { ReadingBits } from './redelivery.ts'
import type { RunColumns } from './windows/reading-run.ts'

/**
 * One reading taken out of a batch: as columns of one row, so that it goes the same ways as a row of a batch does, and may
 * be cleaned or kept without writing to the decoder's memory.
 */
export class CurrentReading implements RunColumns {
  /** One value per channel, NaN = missing. */
  readonly values: Float64Array
  /** The same values as columns of one row. */
  readonly channels: readonly Float64Array[]
  /** The columns that the accumulators read, in their order. */
  readonly used: readonly Float64Array[]
  /** What {@link hashReading} hashes: timestamp, then channels. */
  readonly bits: ReadingBits
  /** Its timestamp as a column of one row. */
  readonly timestampsMs: Float64Array

  constructor(channelCount: number, usedChannels: readonly number[]) {
    const buffer = new ArrayBuffer(8 * (1 + channelCount))
    this.timestampsMs = new Float64Array(buffer, 0, 1)
    this.values = new Float64Array(buffer, 8, channelCount)
    this.channels = Array.from(this.values, (_, k) => this.values.subarray(k, k + 1))
    this.used = usedChannels.map((channel) => this.channels[channel] as Float64Array)
    this.bits = Array.from({ length: 1 + channelCount }, (_, k) => new Int32Array(buffer, 8 * k, 2))
  }

  get timestampMs(): number {
    return this.timestampsMs[0] as number
  }

  takeRow(batch: ReadingBatch, row: number, timestampMs: number): void {
    this.timestampsMs[0] = timestampMs
    for (let k = 0; k < this.values.length; k++) this.values[k] = (batch.channels[k] as Float64Array)[row] as number
  }

  take(timestampMs: number, values: Float64Array): void {
    this.timestampsMs[0] = timestampMs
    this.values.set(values)
  }
}
