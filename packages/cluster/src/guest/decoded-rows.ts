import { assert, limits, type ReadingBatch } from '@millwright/core'

const newline = 10

/** Rows of a bundle that were decoded together. */
export interface DecodedBatch {
  /** Number of the first row within the bundle. */
  readonly first: number
  readonly batch: ReadingBatch
}

/** Columns of one batch; they are used again for a batch of a later bundle. */
interface Columns {
  readonly device: Int32Array
  readonly timestampMs: Float64Array
  readonly channels: readonly Float64Array[]
  readonly lineStart: Uint32Array
  readonly lineEnd: Uint32Array
}

/**
 * Keeps the decoded rows of one bundle from the call that looks at it to the call that processes it, so that each line is decoded once.
 *
 * D1. Kept rows name their lines within the bundle's own bytes, not within the decoder's memory, which the next batch takes.
 * D2. Batches are kept in the order in which they were added; together they are the rows of the readings added, each once.
 */
export class DecodedRows {
  readonly #channelCount: number
  readonly #columns: Columns[] = []
  readonly #batches: DecodedBatch[] = []

  constructor(channelCount: number) {
    this.#channelCount = channelCount
  }

  /** What is kept, in order; holds until `clear`. */
  get batches(): readonly DecodedBatch[] {
    return this.#batches
  }

  /** Forgets the bundle. */
  clear(): void {
    this.#batches.length = 0
  }

  /**
   * Keeps a batch.
   *
   * @param first Number of its first row within the bundle.
   * @param bytes Lines in which the batch's lines stand, each ended by a newline. The kept rows point into them.
   * @param at Where in `bytes` the first of them begins.
   * @returns Where in `bytes` the line after the last of them begins.
   */
  add(batch: ReadingBatch, first: number, bytes: Uint8Array, at: number): number {
    const { rowCount } = batch
    assert(rowCount > 0, 'a decoder gives batches of at least one row')
    const columns = this.#take()
    copyRows(columns.device, batch.device, rowCount)
    copyRows(columns.timestampMs, batch.timestampMs, rowCount)
    for (const [channel, column] of columns.channels.entries())
      copyRows(column, batch.channels[channel] as Float64Array, rowCount)
    // Lines that were decoded together stand as far from one another as in the bundle.
    const moved = at - (batch.lineStart[0] as number)
    for (let row = 0; row < rowCount; row++) {
      columns.lineStart[row] = (batch.lineStart[row] as number) + moved
      columns.lineEnd[row] = (batch.lineEnd[row] as number) + moved
    }
    this.#batches.push({ first, batch: { rowCount, ...columns, bytes, refusals: batch.refusals } })
    return bytes.indexOf(newline, columns.lineEnd[rowCount - 1] as number) + 1
  }

  #take(): Columns {
    const known = this.#columns[this.#batches.length]
    if (known !== undefined) return known
    const rows = limits.batchRowsMax
    const made = {
      device: new Int32Array(rows),
      timestampMs: new Float64Array(rows),
      channels: Array.from({ length: this.#channelCount }, () => new Float64Array(rows)),
      lineStart: new Uint32Array(rows),
      lineEnd: new Uint32Array(rows),
    }
    this.#columns.push(made)
    return made
  }
}

function copyRows<T extends Int32Array | Float64Array>(into: T, from: T, rowCount: number): void {
  into.set(from.subarray(0, rowCount))
}
