/**
 * What is known of many machines, as numbers in few large arrays: an array or an object of its own costs a machine more than
 * what is in it, and a collector of garbage that looks at a million of them is busy with nothing else.
 *
 * Invariants
 *
 * R1. A row is zeros until it is written.
 * R2. A table takes memory for blocks of rows that were written, and never moves what is there.
 */
export type RowArray = Float64Array | Float32Array | Uint32Array | Int16Array | Uint8Array

/** A block is small enough for a plant of ten machines, and large enough that blocks do not count among a million. */
const rowsPerBlock = 256

/** A table of rows of equally many numbers. */
export class RowTable<A extends RowArray> {
  readonly #arrayOf: new (
    length: number,
  ) => A
  readonly #width: number
  readonly #blocks: (A | undefined)[] = []

  /** @param width Numbers in a row, at least 1. */
  constructor(arrayOf: new (length: number) => A, width: number) {
    this.#arrayOf = arrayOf
    this.#width = width
  }

  /** The array that a row is in, from {@link at} on, with the rows beside it: to be written, for as long as the table is there. */
  block(row: number): A {
    const index = Math.floor(row / rowsPerBlock)
    return this.#blocks[index] ?? this.#made(index)
  }

  /** Where in its block a row begins. */
  at(row: number): number {
    return (row % rowsPerBlock) * this.#width
  }

  get(row: number, index = 0): number {
    return this.#blocks[Math.floor(row / rowsPerBlock)]?.[this.at(row) + index] ?? 0
  }

  set(row: number, value: number, index = 0): void {
    this.block(row)[this.at(row) + index] = value
  }

  /** A copy of a row. */
  read(row: number): number[] {
    const values: number[] = []
    for (let index = 0; index < this.#width; index++) values.push(this.get(row, index))
    return values
  }

  /** @param values As many as a row has. */
  write(row: number, values: ArrayLike<number>): void {
    this.block(row).set(values, this.at(row))
  }

  /** Makes a row zeros again. */
  clear(row: number): void {
    this.#blocks[Math.floor(row / rowsPerBlock)]?.fill(0, this.at(row), this.at(row) + this.#width)
  }

  #made(index: number): A {
    const block = new this.#arrayOf(rowsPerBlock * this.#width)
    while (this.#blocks.length < index) this.#blocks.push(undefined)
    this.#blocks[index] = block
    return block
  }
}

/** Numbers of rows that are in use; a row that is given back is given out again before a new one. */
export class RowNumbers {
  readonly #free: number[] = []
  #next = 0

  take(): number {
    return this.#free.pop() ?? this.#next++
  }

  giveBack(row: number): void {
    this.#free.push(row)
  }
}
