import type { DeadLetterReason } from './records.ts'

/**
 * Decoded readings as columns: what the decoder gives the operators. The arrays are views that are reused: they hold
 * until the next call to the decoder.
 */
export interface ReadingBatch {
  /** Rows, at most `batchRowsMax`. Row i is line i of the bytes decoded, in order; every line has a row. */
  readonly rowCount: number
  /** Index of the device in the decoder's directory, or one of {@link rowRefused}, {@link rowEmpty}. */
  readonly device: Int32Array
  /** Event time, epoch milliseconds, whole; NaN in a plan whose timestamps are arrival times. */
  readonly timestampMs: Float64Array
  /** One column per declared channel, in the plan's order; NaN = missing. */
  readonly channels: readonly Float64Array[]
  /** The rows' own bytes are `bytes[lineStart[i] .. lineEnd[i])`, without the newline (and without a `\r` before it). */
  readonly bytes: Uint8Array
  readonly lineStart: Uint32Array
  readonly lineEnd: Uint32Array
  /** Ascending by row: why each refused row was refused. */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  readonly row: number
  readonly reason: DeadLetterReason
  readonly message: string
  /** Where the id could be read though the row was refused. */
  readonly deviceId: string | null
}

/** In `device`: the line was refused; a {@link Refusal} says why. */
export const rowRefused = -1
/** In `device`: the line was empty or blank. */
export const rowEmpty = -2

/** Decodes newline-separated JSON readings into columns. One per thread; keeps the directory of device ids. */
export interface ReadingDecoder {
  /** Decodes whole lines; calls `onBatch` once for each batch, in order. A final newline is optional. */
  decode(bytes: Uint8Array, onBatch: (batch: ReadingBatch) => void): void
  /**
   * Room in the decoder's own memory of at least `byteLength` bytes to read a file straight into; the view holds until
   * the next call of any method.
   */
  input(byteLength: number): Uint8Array
  /** Decodes the first `byteLength` bytes of the last `input()`, which must be whole lines. */
  decodeInput(byteLength: number, onBatch: (batch: ReadingBatch) => void): void
  readonly deviceCount: number
  deviceId(index: number): string
  /** Returns the index of an id, adding it if it is new; -1 when the directory is full. */
  deviceIndex(id: string): number
  /** Takes ids out of the directory; their indices are given to ids that come later. */
  forget(indices: Int32Array): void
}
