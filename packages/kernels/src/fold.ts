/// <reference path="./web-assembly.d.ts" />
import { bytesOfBase64 } from './base64.ts'
import { foldWasmBase64 } from './fold.wasm.ts'
import {
  accumulatorBytes,
  blockDevices,
  deviceHeaderFloats,
  foldRowsMax,
  foldSpareRows,
  headerAccumulatorCount,
  headerAccumulators,
  headerAppendTimeMs,
  headerAppendTimeStep,
  headerAppendTimes,
  headerArrival,
  headerBytes,
  headerColumnBytes,
  headerColumnCount,
  headerColumns,
  headerDeviceBytes,
  headerDeviceEnd,
  headerDevices,
  headerDirectory,
  headerDirtyFirst,
  headerDirtyLast,
  headerHashes,
  headerMaxClockAheadMs,
  headerMaxJumpMs,
  headerRuleCount,
  headerRules,
  headerSilentAfterMs,
  headerSlots,
  headerWindowsPerReading,
  ringReadings,
  ruleBytes,
  windowHeaderFloats,
} from './fold-fields.ts'
import type { FoldWork } from './fold-plain.ts'
import { LinearMemory } from './linear-memory.ts'

/** What the fold must know of a plan. Channels are numbers of columns. */
export interface FoldOptions {
  readonly channelCount: number
  /** Values below `min` or above `max` keep a row off the short way. */
  readonly rules: readonly { readonly channel: number; readonly min: number; readonly max: number }[]
  /** What a window keeps of its channels: bit sets of parts, and the first float field, counted from the accumulators' start. */
  readonly accumulators: readonly { readonly channel: number; readonly parts: number; readonly offset: number }[]
  /** Float64 fields of all accumulators of a window. */
  readonly accumulatorFields: number
  /** Windows that a reading in order is in. */
  readonly windowsPerReading: number
  /** Event time is append time: nothing is hashed, devices have no ring, and times may be equal. */
  readonly arrival: boolean
  readonly maxJumpMs: number
  readonly maxClockAheadMs: number
  readonly silentAfterMs: number
}

/** Rows to fold: the fields of core's `ReadingBatch` that matter here. */
export interface FoldBatch {
  readonly rowCount: number
  /** Below 0: the row is no reading. */
  readonly device: Int32Array
  readonly timestampMs: Float64Array
  readonly channels: readonly Float64Array[]
}

/** Columns differ in where they stand within a page, lest all compete for the same lines of the first-level cache. */
const columnPaddingBytes = 128

/** The kernel keeps its static data in the first page. */
const firstAddress = 65_536

const memoryBytesMax = 65_536 * 65_536

/** Room for windows is handed out for so many at a time. */
const blockWindows = 4096

/**
 * Blocks are taken from the memory by as many as there are already, up to this: growing a memory costs the host far more than what
 * is in it, and pages that nobody wrote to cost nothing.
 */
const blocksAtOnceMax = 64

let module: WebAssembly.Module | null = null

/** Hands out blocks of one size, side by side as far as they were taken from the memory together. */
class Blocks {
  readonly #memory: LinearMemory
  readonly #blockBytes: number
  #taken = 0
  #next = 0
  #end = 0

  constructor(memory: LinearMemory, blockBytes: number) {
    this.#memory = memory
    this.#blockBytes = blockBytes
  }

  /** Returns the address of a block. */
  take(): number {
    if (this.#next === this.#end) {
      const bytes = this.#blockBytes * Math.min(Math.max(1, this.#taken), blocksAtOnceMax)
      this.#next = this.#memory.allocate(bytes)
      this.#end = this.#next + bytes
    }
    const address = this.#next
    this.#next += this.#blockBytes
    this.#taken += 1
    return address
  }
}

/** Makes the kernel's work over a memory. */
export function createFoldKernel(memory: WebAssembly.Memory): FoldWork {
  module ??= new WebAssembly.Module(bytesOfBase64(foldWasmBase64))
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as FoldWork
}

/**
 * The memory in which devices and windows are kept, with the columns of the batch at hand beside them, and the work on it: the
 * short way of readings into their windows.
 *
 * Batches are copied in, since the memory of a decoder may be any; and since records may then grow without emptying the views
 * that a decoder handed out. A copied row costs about 3 ns.
 *
 * - M1: a record stays where it is for good, so that what names it (a base, a slot) holds until it is freed.
 * - M2: what was never written is zero bits: regions are handed out once and never taken back.
 * - M3: whatever makes records may grow the memory, which empties all views: `floats`, `ints` and `columns` are asked for anew
 *   after it.
 *
 * Memory: 0.3 MiB and 32 KiB a channel, then blocks of 4,096 records, of which only those pages are touched that hold records.
 */
export class Fold {
  /** Float64 fields of a device's record and of a window's. */
  readonly deviceFloats: number
  readonly windowFloats: number
  /** Windows that a reading in order is in. */
  readonly windowsPerReading: number
  readonly #memory: LinearMemory
  readonly #work: FoldWork
  readonly #arrival: boolean
  readonly #header: number
  readonly #directory: number
  readonly #columnBytes: number
  readonly #columnCount: number
  readonly #devices: number
  readonly #columns: number
  readonly #slots: number
  readonly #appendTimes: number
  readonly #hashes: number
  #floats: Float64Array
  #ints: Int32Array
  readonly #deviceBlocks: Blocks
  readonly #windowBlocks: Blocks
  #blockCount = 0
  /** Where the next window goes, and where its block ends, in float64s. */
  #nextWindow = 0
  #windowsEnd = 0

  /** @param createWork What does the work; the plain twin in tests. */
  constructor(options: FoldOptions, createWork: (memory: WebAssembly.Memory) => FoldWork = createFoldKernel) {
    const memory = new WebAssembly.Memory({ initial: 1 })
    this.#memory = new LinearMemory(memory, firstAddress)
    this.windowsPerReading = options.windowsPerReading
    this.#arrival = options.arrival
    this.deviceFloats = deviceHeaderFloats + (options.arrival ? 0 : ringReadings)
    this.windowFloats = windowHeaderFloats + options.accumulatorFields
    this.#deviceBlocks = new Blocks(this.#memory, 8 * this.deviceFloats * blockDevices)
    this.#windowBlocks = new Blocks(this.#memory, 8 * this.windowFloats * blockWindows)
    this.#columnCount = 1 + options.channelCount
    const rows = foldRowsMax + foldSpareRows
    this.#columnBytes = rows * 8 + columnPaddingBytes
    this.#header = this.#memory.allocate(headerBytes)
    this.#devices = this.#memory.allocate(rows * 4)
    this.#slots = this.#memory.allocate(rows * 4)
    this.#columns = this.#memory.allocate(this.#columnCount * this.#columnBytes)
    this.#appendTimes = this.#memory.allocate(rows * 8)
    this.#hashes = this.#memory.allocate(rows * 8)
    this.#directory = this.#memory.allocate(4 * Math.ceil(memoryBytesMax / (blockDevices * this.deviceFloats * 8)))
    const rules = this.#memory.allocate(options.rules.length * ruleBytes)
    const accumulators = this.#memory.allocate(options.accumulators.length * accumulatorBytes)
    this.#floats = new Float64Array(memory.buffer)
    this.#ints = new Int32Array(memory.buffer)
    const header = this.#ints.subarray(this.#header >> 2)
    header[headerDevices] = this.#devices
    header[headerColumns] = this.#columns
    header[headerColumnBytes] = this.#columnBytes
    header[headerColumnCount] = this.#columnCount
    header[headerSlots] = this.#slots
    header[headerDirectory] = this.#directory
    header[headerHashes] = this.#hashes
    header[headerDeviceBytes] = this.deviceFloats * 8
    header[headerRules] = rules
    header[headerRuleCount] = options.rules.length
    header[headerAccumulators] = accumulators
    header[headerAccumulatorCount] = options.accumulators.length
    header[headerWindowsPerReading] = options.windowsPerReading
    header[headerArrival] = options.arrival ? 1 : 0
    header[headerDirtyFirst] = -1
    header[headerDirtyLast] = -1
    const limits = this.#floats.subarray(this.#header >> 3)
    limits[headerMaxJumpMs] = options.maxJumpMs
    limits[headerMaxClockAheadMs] = options.maxClockAheadMs
    limits[headerSilentAfterMs] = options.silentAfterMs
    for (const [i, { channel, min, max }] of options.rules.entries()) {
      this.#ints[(rules + i * ruleBytes) >> 2] = this.#column(1 + channel)
      this.#floats.set([min, max], ((rules + i * ruleBytes) >> 3) + 1)
    }
    for (const [i, { channel, parts, offset }] of options.accumulators.entries())
      this.#ints.set(
        [this.#column(1 + channel), parts, 8 * (windowHeaderFloats + offset)],
        (accumulators + i * accumulatorBytes) >> 2,
      )
    this.#work = createWork(memory)
  }

  /** All of the memory as float64s; holds until the next record is made (M3). */
  get floats(): Float64Array {
    if (this.#floats.length === 0) this.#renewViews()
    return this.#floats
  }

  /** The same bytes as int32s. */
  get ints(): Int32Array {
    if (this.#ints.length === 0) this.#renewViews()
    return this.#ints
  }

  /** Devices that have a record: those below this index. */
  get deviceEnd(): number {
    return this.ints[(this.#header >> 2) + headerDeviceEnd] as number
  }

  set deviceEnd(end: number) {
    this.ints[(this.#header >> 2) + headerDeviceEnd] = end
  }

  /** First of the devices that became dirty, −1 for none: `dirtyNext` leads from each to the next. */
  get dirtyFirst(): number {
    return this.ints[(this.#header >> 2) + headerDirtyFirst] as number
  }

  set dirtyFirst(device: number) {
    this.ints[(this.#header >> 2) + headerDirtyFirst] = device
  }

  get dirtyLast(): number {
    return this.ints[(this.#header >> 2) + headerDirtyLast] as number
  }

  set dirtyLast(device: number) {
    this.ints[(this.#header >> 2) + headerDirtyLast] = device
  }

  /**
   * Makes room for the records of 4,096 more devices; returns where they begin, in float64s.
   *
   * @throws {RangeError} Beyond 4 GiB, which is 13 million devices of three channels.
   */
  addDeviceBlock(): number {
    const address = this.#deviceBlocks.take()
    this.ints[(this.#directory >> 2) + this.#blockCount] = address
    this.#blockCount += 1
    return address / 8
  }

  /**
   * Makes a window's record, zeros all of it; returns its slot: where it begins, in float64s.
   *
   * @throws {RangeError} Beyond 4 GiB.
   */
  addWindow(): number {
    if (this.#nextWindow + this.windowFloats > this.#windowsEnd) {
      this.#nextWindow = this.#windowBlocks.take() / 8
      this.#windowsEnd = this.#nextWindow + this.windowFloats * blockWindows
    }
    const slot = this.#nextWindow
    this.#nextWindow += this.windowFloats
    return slot
  }

  /**
   * Copies the rows of a batch in, at most `foldRowsMax`.
   *
   * @param appendTimeMs Append time of all rows (NaN: none, a file is replayed), or of each. Where arrival is event time, the
   *   timestamp too.
   */
  takeBatch(batch: FoldBatch, appendTimeMs: number | Float64Array): void {
    const { rowCount } = batch
    const { floats, ints } = this
    const header = this.#header
    const timestamps = this.#columns >> 3
    ints.set(batch.device.subarray(0, rowCount), this.#devices >> 2)
    for (let k = 1; k < this.#columnCount; k++)
      floats.set((batch.channels[k - 1] as Float64Array).subarray(0, rowCount), this.#column(k) >> 3)
    const one = typeof appendTimeMs === 'number'
    if (one) floats[(header >> 3) + headerAppendTimeMs] = appendTimeMs
    else floats.set(appendTimeMs.subarray(0, rowCount), this.#appendTimes >> 3)
    ints[(header >> 2) + headerAppendTimes] = one ? header + 8 * headerAppendTimeMs : this.#appendTimes
    ints[(header >> 2) + headerAppendTimeStep] = one ? 0 : 8
    if (!this.#arrival) {
      floats.set(batch.timestampMs.subarray(0, rowCount), timestamps)
      this.#work.hashRows(header, 0, rowCount)
    } else if (one) floats.fill(appendTimeMs, timestamps, timestamps + rowCount)
    else floats.set(appendTimeMs.subarray(0, rowCount), timestamps)
  }

  /**
   * Takes the rows of the batch from `first` on that may go the short way, and adds them to their windows; returns the first row
   * that may not, or `rowCount`. A row may where
   *
   * - it is a reading of a device that has a record, and no rule has anything against its values,
   * - `clock < timestamp < fastUntil` (with arrival times `clock <= timestamp`), and the clock jumps at most `maxJumpMs`,
   * - where there is an append time: the timestamp is at most `maxClockAheadMs` ahead of it, and the device was heard less than
   *   `silentAfterMs` before it, at or before it.
   *
   * Its device's clock then is its timestamp, its last append the append time, and the device dirty; its hash is in the ring; it
   * counts in the window in `currentSlot` and, where a reading is in more windows, in as many behind that.
   */
  takeInOrder(first: number, rowCount: number): number {
    return this.#work.takeInOrder(this.#header, first, rowCount)
  }

  /** Event time of a row of the batch: where arrival is event time, its append time. */
  timestampOf(row: number): number {
    return this.floats[(this.#columns >> 3) + row] as number
  }

  /** The window that a row taken in order was added to, the first of them. */
  slotOf(row: number): number {
    return this.ints[(this.#slots >> 2) + row] as number
  }

  /** Writes one reading beside the batch. @param row From `foldRowsMax` on, at most 3 behind it. @param values One per channel. */
  writeReading(row: number, timestampMs: number, values: Float64Array): void {
    const { floats } = this
    floats[(this.#columns >> 3) + row] = timestampMs
    for (let k = 0; k < values.length; k++) floats[(this.#column(1 + k) >> 3) + row] = values[k] as number
  }

  /** Hash of one reading beside the batch: of its timestamp and values, two int32. */
  hashOf(row: number): { readonly low: number; readonly high: number } {
    this.#work.hashRows(this.#header, row, row + 1)
    const at = (this.#hashes >> 2) + 2 * row
    return { low: this.ints[at] as number, high: this.ints[at + 1] as number }
  }

  /** Adds a row to one window, whatever its device. */
  addToWindow(row: number, slot: number): void {
    this.#work.addReading(this.#header, row, slot)
  }

  #column(column: number): number {
    return this.#columns + column * this.#columnBytes
  }

  #renewViews(): void {
    this.#floats = new Float64Array(this.#memory.memory.buffer)
    this.#ints = new Int32Array(this.#memory.memory.buffer)
  }
}
