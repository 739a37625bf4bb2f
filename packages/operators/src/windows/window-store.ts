import { accumulate, merge } from '../accumulators/accumulate.ts'
import type { AccumulatorLayout } from '../accumulators/layout.ts'
import type { Counters } from '../counters.ts'
import { type DeviceTable, firstSlot } from '../device-table.ts'
import { RecordTable } from '../record-table.ts'
import { type RawLayout, RawValues } from './raw-values.ts'
import { ReadingRun, type RunColumns } from './reading-run.ts'

/**
 * The windows of all devices: slots of one size, linked into one list per device.
 *
 * W1. A device's list is in ascending order of end, and of start: no two of its windows have the same start.
 * W2. A slot is in exactly one list, or free.
 * W3. `flagClosed`: the device clock has passed end + grace. A closed window is kept only while it takes late readings.
 * W4. `flagChanged`: the window has readings that its last result did not have. A result clears it.
 * W5. `emissions` counts the window's results; the next one has it as revision.
 */

/** Float fields. */
export const windowStart = 0
export const windowEnd = 1
/** Accepted readings in the window. */
export const windowReadings = 2
/** Start under which the last result stands in the device's history; differs from the start only for sessions. */
export const emittedStart = 3

/** Int fields, from float field 4 on. */
export const nextSlot = 8
export const emissions = 9
export const windowFlags = 10

/** Accumulators follow. */
export const windowHeaderFloats = 6

export const flagClosed = 1
export const flagChanged = 2

export class WindowStore extends RecordTable {
  readonly accumulators: AccumulatorLayout
  readonly rawLayout: RawLayout | null
  /** First accumulator field of a window. */
  readonly offset = windowHeaderFloats
  readonly #devices: DeviceTable
  readonly #counters: Counters
  readonly #raw: (RawValues | undefined)[] = []
  /** A run of one row. */
  readonly #one = new ReadingRun(1)
  #firstFree = -1
  #slotEnd = 0

  constructor(
    devices: DeviceTable,
    counters: Counters,
    layouts: { readonly accumulators: AccumulatorLayout; readonly raw: RawLayout | null },
  ) {
    super(windowHeaderFloats + layouts.accumulators.fieldCount)
    this.#devices = devices
    this.#counters = counters
    this.accumulators = layouts.accumulators
    this.rawLayout = layouts.raw
    this.#one.count = 1
  }

  /** Opens an empty window behind `previous` in the device's list (−1: first). */
  open(device: number, previous: number, startMs: number, endMs: number): number {
    let slot = this.#firstFree
    if (slot === -1) {
      slot = this.#slotEnd
      this.#slotEnd += 1
      this.ensure(slot)
    } else this.#firstFree = this.int(slot, nextSlot)
    this.setFloat(slot, windowStart, startMs)
    this.setFloat(slot, windowEnd, endMs)
    this.setInt(slot, nextSlot, this.after(device, previous))
    this.#link(device, previous, slot)
    return slot
  }

  /** Takes a window out of the device's list and frees it. `previous` stands before it (−1: it is first). */
  remove(device: number, previous: number, slot: number): void {
    this.#link(device, previous, this.int(slot, nextSlot))
    this.floats.fill(0, slot * this.stride, (slot + 1) * this.stride)
    this.#raw[slot] = undefined
    this.setInt(slot, nextSlot, this.#firstFree)
    this.#firstFree = slot
  }

  removeAll(device: number): void {
    for (let slot = this.first(device); slot !== -1; slot = this.first(device)) this.remove(device, -1, slot)
  }

  /** First window of the device in order of end; −1 for none. */
  first(device: number): number {
    return this.#devices.int(device, firstSlot)
  }

  next(slot: number): number {
    return this.int(slot, nextSlot)
  }

  /** The window behind `previous`, or the first where `previous` is −1. */
  after(device: number, previous: number): number {
    return previous === -1 ? this.first(device) : this.next(previous)
  }

  has(slot: number, flag: number): boolean {
    return (this.int(slot, windowFlags) & flag) !== 0
  }

  setFlag(slot: number, flag: number, on: boolean): void {
    const before = this.int(slot, windowFlags)
    this.setInt(slot, windowFlags, on ? before | flag : before & ~flag)
  }

  /** Adds one reading, the only row of its columns. */
  add(slot: number, reading: RunColumns): void {
    this.#one.slots[0] = slot
    this.addRun(this.#one, reading)
    this.setFlag(slot, flagChanged, true)
  }

  /** Adds the readings of a run to windows that are marked as changed already. */
  addRun(run: ReadingRun, columns: RunColumns): void {
    const { floats, stride } = this
    const { slots, count } = run
    for (let i = 0; i < count; i++) {
      const at = (slots[i] as number) * stride + windowReadings
      floats[at] = (floats[at] as number) + 1
    }
    const { channels } = this.accumulators
    for (let k = 0; k < channels.length; k++) {
      const { parts, offset } = channels[k] as (typeof channels)[number]
      accumulate(this, parts, offset, run, columns.used[k] as Float64Array, columns.timestampsMs)
    }
    if (this.rawLayout !== null) this.#addRaw(this.rawLayout, run, columns)
  }

  /** Points every reading of a run at the window behind its own. */
  toNext(run: ReadingRun): void {
    const { ints, stride } = this
    const { slots, count } = run
    for (let i = 0; i < count; i++) slots[i] = ints[2 * (slots[i] as number) * stride + nextSlot] as number
  }

  /** Adds all readings of window `from`; the caller then removes it. Its flags and results stay behind. */
  absorb(into: number, from: number): void {
    this.setFloat(into, windowReadings, this.float(into, windowReadings) + this.float(from, windowReadings))
    merge(this.accumulators, this, into, from)
    if (this.rawLayout === null) return
    const dropped = this.#rawOf(into).append(this.rawLayout, this.#rawOf(from))
    if (dropped > 0) this.#counters.add('window_readings_not_kept_total', dropped)
  }

  /** The window's raw values; `null` where the plan keeps none. */
  raw(slot: number): RawValues | null {
    return this.rawLayout === null ? null : this.#rawOf(slot)
  }

  /** Sets the window's raw values, as a stored state has them. */
  setRaw(slot: number, raw: RawValues): void {
    this.#raw[slot] = raw
  }

  #addRaw(layout: RawLayout, run: ReadingRun, columns: RunColumns): void {
    for (let i = 0; i < run.count; i++) {
      const row = run.first + i
      const raw = this.#rawOf(run.slots[i] as number)
      if (!raw.add(layout, columns.channels, row, columns.timestampsMs[row] as number))
        this.#counters.add('window_readings_not_kept_total')
    }
  }

  #rawOf(slot: number): RawValues {
    let raw = this.#raw[slot]
    if (raw === undefined) {
      raw = new RawValues(this.rawLayout?.channels.length ?? 0)
      this.#raw[slot] = raw
    }
    return raw
  }

  #link(device: number, previous: number, slot: number): void {
    if (previous === -1) this.#devices.setInt(device, firstSlot, slot)
    else this.setInt(previous, nextSlot, slot)
  }
}
