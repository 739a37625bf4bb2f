import {
  accumulatorBytes,
  blockDevices,
  blockShift,
  clock,
  currentSlot,
  dirtyNext,
  fastUntil,
  flagDirty,
  flags,
  headerAccumulatorCount,
  headerAccumulators,
  headerAppendTimeStep,
  headerAppendTimes,
  headerArrival,
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
  lastAppend,
  nextSlot,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
  ring,
  ringCount,
  ringReadings,
  ruleBytes,
  windowReadings,
} from './fold-fields.ts'

/**
 * The work of the fold, over a memory that `Fold` has laid out. One header, one memory; addresses are bytes.
 */
export interface FoldWork {
  /**
   * Takes the rows from `first` on that may go the short way; returns the first row that may not. See {@link Fold.takeInOrder}.
   */
  takeInOrder(header: number, first: number, rowCount: number): number
  /** Hashes the rows from `first` to `end` (not with); what stands in the three hashes behind them may be lost. */
  hashRows(header: number, first: number, end: number): void
  /** Adds one row to a window, whatever its device. */
  addReading(header: number, row: number, slot: number): void
}

/**
 * The fold in plain TypeScript, a row at a time: the kernel's oracle, and the place where its arithmetic is explained.
 *
 * - A1: moments are those of x − origin, where origin is the channel's first value in the window: values near 1e12 that vary by
 *   1e-3 keep their digits, since the subtraction is exact (Sterbenz) and everything after it is small.
 * - A2: all accumulators start as zero; `count` 0 says that the others mean nothing yet.
 * - A3: sources: Welford (1962); Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
 *   statistical moments", Sandia SAND2008-6212, equations 1.1–2.1; Neumaier (1974).
 */
export function createPlainFold(memory: WebAssembly.Memory): FoldWork {
  return new PlainFold(memory)
}

class PlainFold implements FoldWork {
  readonly #memory: WebAssembly.Memory
  #ints: Int32Array
  #floats: Float64Array
  #header = 0

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
    this.#ints = new Int32Array(memory.buffer)
    this.#floats = new Float64Array(memory.buffer)
  }

  takeInOrder(header: number, first: number, rowCount: number): number {
    this.#open(header)
    let row = first
    while (row < rowCount && this.#take(row)) row += 1
    return row
  }

  hashRows(header: number, first: number, end: number): void {
    this.#open(header)
    for (let row = first; row < end; row++) this.#hash(row)
  }

  addReading(header: number, row: number, slot: number): void {
    this.#open(header)
    this.#addToWindow(row, slot)
  }

  #open(header: number): void {
    this.#header = header
    if (this.#ints.length > 0) return
    this.#ints = new Int32Array(this.#memory.buffer)
    this.#floats = new Float64Array(this.#memory.buffer)
  }

  #setting(field: number): number {
    return this.#ints[(this.#header >> 2) + field] as number
  }

  #limit(field: number): number {
    return this.#floats[(this.#header >> 3) + field] as number
  }

  /** Takes one row the short way, or returns false and changes nothing. */
  #take(row: number): boolean {
    const ints = this.#ints
    const floats = this.#floats
    const device = ints[(this.#setting(headerDevices) >> 2) + row] as number
    if (device < 0 || device >= this.#setting(headerDeviceEnd) || this.#matchesRule(row)) return false
    const record = this.#record(device)
    const float = record / 2
    const int = record
    const timestampMs = this.#value(0, row)
    const clockMs = floats[float + clock] as number
    if (!(timestampMs < (floats[float + fastUntil] as number))) return false
    const arrival = this.#setting(headerArrival) === 1
    if (!(timestampMs > clockMs || (arrival && timestampMs === clockMs))) return false
    if (timestampMs - clockMs > this.#limit(headerMaxJumpMs)) return false
    const appendTimeMs = floats[
      (this.#setting(headerAppendTimes) + row * this.#setting(headerAppendTimeStep)) / 8
    ] as number
    // A file that is replayed has no append times: neither silence nor the future guard applies.
    if (!Number.isNaN(appendTimeMs)) {
      if (timestampMs > appendTimeMs + this.#limit(headerMaxClockAheadMs)) return false
      const lastAppendMs = floats[float + lastAppend] as number
      // A device that has no append time yet fails this too.
      if (!(lastAppendMs > appendTimeMs - this.#limit(headerSilentAfterMs) && lastAppendMs <= appendTimeMs))
        return false
      floats[float + lastAppend] = appendTimeMs
    }
    floats[float + clock] = timestampMs
    if (((ints[int + flags] as number) & flagDirty) === 0) this.#markDirty(device, int)
    if (!arrival) this.#remember(row, int)
    let slot = ints[int + currentSlot] as number
    ints[(this.#setting(headerSlots) >> 2) + row] = slot
    for (let window = this.#setting(headerWindowsPerReading); window > 0; window--) {
      this.#addToWindow(row, slot)
      slot = ints[2 * slot + nextSlot] as number
    }
    return true
  }

  /** Where a device's record begins, in int32s. */
  #record(device: number): number {
    const block = this.#ints[(this.#setting(headerDirectory) >> 2) + (device >> blockShift)] as number
    // An address beyond 2 GiB has the sign bit set.
    return ((block >>> 0) + (device & (blockDevices - 1)) * this.#setting(headerDeviceBytes)) / 4
  }

  /** Puts a device at the end of the list of dirty ones. @param record In int32s. */
  #markDirty(device: number, record: number): void {
    const ints = this.#ints
    const header = this.#header >> 2
    const last = ints[header + headerDirtyLast] as number
    ints[record + flags] = (ints[record + flags] as number) | flagDirty
    ints[record + dirtyNext] = -1
    ints[last < 0 ? header + headerDirtyFirst : this.#record(last) + dirtyNext] = device
    ints[header + headerDirtyLast] = device
  }

  /** Value of a row in column 0 (timestamps) or k + 1 (channel k). */
  #value(column: number, row: number): number {
    const address = this.#setting(headerColumns) + column * this.#setting(headerColumnBytes)
    return this.#floats[(address >> 3) + row] as number
  }

  /** Whether a cleaning rule has something against the row. A missing value matches none. */
  #matchesRule(row: number): boolean {
    const floats = this.#floats
    const rules = this.#setting(headerRules)
    const end = rules + this.#setting(headerRuleCount) * ruleBytes
    for (let rule = rules; rule < end; rule += ruleBytes) {
      const value = floats[((this.#ints[rule >> 2] as number) >> 3) + row] as number
      if (value < (floats[(rule >> 3) + 1] as number) || value > (floats[(rule >> 3) + 2] as number)) return true
    }
    return false
  }

  /** Puts a row's hash into the device's ring, in the place of the oldest. @param record In int32s. */
  #remember(row: number, record: number): void {
    const ints = this.#ints
    const held = ints[record + ringCount] as number
    const hash = (this.#setting(headerHashes) >> 2) + 2 * row
    ints.copyWithin(record + ring + 2 * (held & (ringReadings - 1)), hash, hash + 2)
    // 0..15 while the ring fills, then 16..31 over and over: the lower four bits are the next place.
    ints[record + ringCount] = held === 2 * ringReadings - 1 ? ringReadings : held + 1
  }

  /** Hashes a row: timestamp, then channels, as `fold/hash.as.ts` describes it. */
  #hash(row: number): void {
    const ints = this.#ints
    const columns = this.#setting(headerColumns)
    const columnCount = this.#setting(headerColumnCount)
    let a = 0x2c1b3c6d
    let b = 0x297a2d39
    // By fours, the last four filled up with the first column.
    const mixes = 4 * Math.ceil(columnCount / 4)
    for (let k = 0; k < mixes; k++) {
      const value = (columns + (k < columnCount ? k : 0) * this.#setting(headerColumnBytes)) / 4 + 2 * row
      const high = ints[value + 1] as number
      const missing = (high & 0x7ff00000) === 0x7ff00000
      a = mix(a, b, missing ? 0 : (ints[value] as number), 0x239b961b, 19)
      b = mix(b, a, missing ? 0x7ff80000 : high, 0x38b34ae5, 15)
    }
    ints.set([a, b], (this.#setting(headerHashes) >> 2) + 2 * row)
  }

  #addToWindow(row: number, slot: number): void {
    const ints = this.#ints
    const floats = this.#floats
    floats[slot + windowReadings] = (floats[slot + windowReadings] as number) + 1
    const first = this.#setting(headerAccumulators)
    const end = first + this.#setting(headerAccumulatorCount) * accumulatorBytes
    for (let accumulator = first; accumulator < end; accumulator += accumulatorBytes) {
      const at = accumulator >> 2
      const x = floats[((ints[at] as number) >> 3) + row] as number
      const parts = ints[at + 1] as number
      const offsetBytes = ints[at + 2] as number
      // NaN is missing and changes nothing.
      if (!Number.isNaN(x)) addValue(floats, parts, slot + offsetBytes / 8, x, this.#value(0, row))
    }
  }
}

function mix(lane: number, other: number, word: number, multiplier: number, rotation: number): number {
  const mixed = lane ^ Math.imul(word, multiplier)
  return (Math.imul((mixed << rotation) | (mixed >>> (32 - rotation)), 5) + other) | 0
}

/** Adds a value to a channel's accumulators, which begin at `first` and stand in the order of their parts' bits. */
function addValue(fields: Float64Array, parts: number, first: number, x: number, timestampMs: number): void {
  let at = first
  const n = (fields[at] as number) + 1
  fields[at] = n
  at += 1
  if ((parts & partSum) !== 0) {
    const before = fields[at] as number
    const sum = before + x
    const lost = Math.abs(before) >= Math.abs(x) ? before - sum + x : x - sum + before
    fields[at] = sum
    fields[at + 1] = (fields[at + 1] as number) + lost
    at += 2
  }
  if ((parts & partMoment2) !== 0) {
    if (n === 1) fields[at] = x
    const shifted = x - (fields[at] as number)
    const mean = fields[at + 1] as number
    const m2 = fields[at + 2] as number
    const difference = shifted - mean
    const step = difference / n
    const term = difference * step * (n - 1)
    fields[at + 1] = mean + step
    fields[at + 2] = m2 + term
    at += 3
    if ((parts & partMoment3) !== 0) {
      const m3 = fields[at] as number
      fields[at] = m3 + term * step * (n - 2) - 3 * step * m2
      at += 1
      if ((parts & partMoment4) !== 0) {
        fields[at] =
          (fields[at] as number) + term * step * step * (n * n - 3 * n + 3) + 6 * step * step * m2 - 4 * step * m3
        at += 1
      }
    }
    if ((parts & partSlope) !== 0) {
      if (n === 1) fields[at] = timestampMs
      const elapsed = timestampMs - (fields[at] as number)
      const elapsedDifference = elapsed - (fields[at + 1] as number)
      const elapsedMean = (fields[at + 1] as number) + elapsedDifference / n
      fields[at + 1] = elapsedMean
      fields[at + 2] = (fields[at + 2] as number) + elapsedDifference * (elapsed - elapsedMean)
      fields[at + 3] = (fields[at + 3] as number) + elapsedDifference * (shifted - (mean + step))
      at += 4
    }
  }
  if ((parts & partExtremes) !== 0) {
    if (n === 1 || x < (fields[at] as number)) fields[at] = x
    if (n === 1 || x > (fields[at + 1] as number)) fields[at + 1] = x
    at += 2
  }
  if ((parts & partFirst) !== 0) {
    // Strictly earlier: of equal times the first to arrive stays.
    if (n === 1 || timestampMs < (fields[at] as number)) {
      fields[at] = timestampMs
      fields[at + 1] = x
    }
    at += 2
  }
  if ((parts & partLast) !== 0 && (n === 1 || timestampMs >= (fields[at] as number))) {
    fields[at] = timestampMs
    fields[at + 1] = x
  }
}
