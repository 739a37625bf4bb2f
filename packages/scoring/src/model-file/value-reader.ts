/** What the next value is. */
export type ValueKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/**
 * Pulls values out of a file one after another, in the order in which they stand there. Nothing is built that was not
 * asked for, so that memory is bounded by what the caller keeps, whatever the file claims.
 *
 * Each method reads exactly one value and throws {@link ModelFileError} where the next one is of another kind, malformed,
 * cut off, nested deeper than `modelFileDepthMax` or longer than what is left of the file. After an error the reader is
 * not to be used.
 */
export interface ValueReader {
  /** Place in the file, in bytes. */
  readonly offsetBytes: number
  /** Path of the value being read, for messages, for example `learner.gradient_booster.model.trees[3]`. */
  readonly where: string
  kind(): ValueKind
  /** Calls `onField` for each field in turn; it must read exactly one value. A name that comes twice comes twice. */
  object(onField: (name: string) => void): void
  /** Calls `onElement` for each element in turn; it must read exactly one value. */
  array(onElement: (index: number) => void): void
  /** Reads a string of at most `modelStringBytesMax` bytes of well-formed UTF-8. */
  string(): string
  /** Reads a number; NaN and infinities where the format has them. */
  number(): number
  /**
   * Reads an array of numbers as float32: the decimal's own nearest float32, not the nearest of its nearest double.
   *
   * @param countMax At one more the file is refused.
   */
  float32s(countMax: number): Float32Array
  /** Reads an array of whole numbers; what an int32 cannot hold becomes its nearest end. */
  integers(countMax: number): Int32Array
  /** Reads an array of false/true or 0/1. */
  flags(countMax: number): Uint8Array
  skip(): void
  /** Skips a value; the function it returns reads it after all, once, by the methods of this reader. */
  postpone(): (read: () => void) => void
  /** Demands that nothing follows. */
  end(): void
}
