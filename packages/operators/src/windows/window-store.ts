import type { ReadingBatch } from '@millwright/core'
import {
  type Fold,
  firstSlot,
  nextSlot,
  windowEnd,
  windowFlags,
  windowHeaderFloats,
  windowReadings,
  windowStart,
} from '@millwright/kernels'
import type { AccumulatorLayout } from '../accumulators/layout.ts'
import { merge } from '../accumulators/merge.ts'
import type { Counters } from '../counters.ts'
import type { CurrentReading } from '../current-reading.ts'
import type { DeviceTable } from '../device-table.ts'
import { type RawLayout, RawValues } from './raw-values.ts'

/**
 * The windows of all devices: slots of one size in the memory of the fold, linked into one list per device. A slot is where the
 * window's record begins there, in float64s.
 *
 * Float fields: `windowStart`; `windowEnd`; `windowReadings`, the accepted readings in the window; `emittedStart`, the start under which the
 * last result stands in the device's history, which differs from the start only for sessions. Int fields: `nextSlot`, −1 for none;
 * `emissions`; `windowFlags`. Accumulators follow from float field `windowHeaderFloats` on.
 *
 * W1. A device's list is in ascending order of end, and of start: no two of its windows have the same start.
 * W2. A slot is in exactly one list, or free.
 * W3. `flagClosed`: the device clock has passed end + grace. A closed window is kept only while it takes late readings.
 * W4. `flagChanged`: the window has readings that its last result did not have. A result clears it.
 * W5. `emissions` counts the window's results; the next one has it as revision.
 */

export const flagClosed = 1
export const flagChanged = 2

export class WindowStore {
  readonly accumulators: AccumulatorLayout
  readonly rawLayout: RawLayout | null
  readonly #fold: Fold
  readonly #devices: DeviceTable
  readonly #counters: Counters
  readonly #raw = new Map<number, RawValues>()
  #firstFree = -1

  constructor(
    fold: Fold,
    devices: DeviceTable,
    counters: Counters,
    layouts: { readonly accumulators: AccumulatorLayout; readonly raw: RawLayout | null },
  ) {
    this.#fold = fold
    this.#devices = devices
    this.#counters = counters
    this.accumulators = layouts.accumulators
    this.rawLayout = layouts.raw
  }

  /** Opens an empty window behind `previous` in the device's list (−1: first). */
  open(device: number, previous: number, startMs: number, endMs: number): number {
    let slot = this.#firstFree
    if (slot === -1) slot = this.#fold.addWindow()
    else this.#firstFree = this.int(slot, nextSlot)
    this.setFloat(slot, windowStart, startMs)
    this.setFloat(slot, windowEnd, endMs)
    this.setInt(slot, nextSlot, this.after(device, previous))
    this.#link(device, previous, slot)
    return slot
  }

  /** Takes a window out of the device's list and frees it. `previous` stands before it (−1: it is first). */
  remove(device: number, previous: number, slot: number): void {
    this.#link(device, previous, this.int(slot, nextSlot))
    this.#fold.floats.fill(0, slot, slot + this.#fold.windowFloats)
    this.#raw.delete(slot)
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

  /** All windows' fields: those of a window begin at its slot. Hold until the next window is opened. */
  get floats(): Float64Array {
    return this.#fold.floats
  }

  float(slot: number, field: number): number {
    return this.#fold.floats[slot + field] as number
  }

  setFloat(slot: number, field: number, value: number): void {
    this.#fold.floats[slot + field] = value
  }

  int(slot: number, field: number): number {
    return this.#fold.ints[2 * slot + field] as number
  }

  setInt(slot: number, field: number, value: number): void {
    this.#fold.ints[2 * slot + field] = value
  }

  /** Adds one reading. */
  add(slot: number, reading: CurrentReading): void {
    reading.addTo(slot)
    this.setFlag(slot, flagChanged, true)
    if (this.rawLayout === null) return
    const { values, timestampMs } = reading
    this.#count(this.#rawOf(slot).add(this.rawLayout, (channel) => values[channel] as number, timestampMs))
  }

  /**
   * Keeps the raw values of the rows from `first` to `end` (not with), which the fold has just added to their windows: all that it
   * could not do, where the plan wants them.
   */
  addRaw(batch: ReadingBatch, first: number, end: number): void {
    const layout = this.rawLayout
    if (layout === null) return
    for (let row = first; row < end; row++) {
      const value = (channel: number): number => (batch.channels[channel] as Float64Array)[row] as number
      let slot = this.#fold.slotOf(row)
      for (let left = this.#fold.windowsPerReading; left > 0; left--) {
        this.#count(this.#rawOf(slot).add(layout, value, this.#fold.timestampOf(row)))
        slot = this.next(slot)
      }
    }
  }

  /** Adds all readings of window `from`; the caller then removes it. Its flags and results stay behind. */
  absorb(into: number, from: number): void {
    this.setFloat(into, windowReadings, this.float(into, windowReadings) + this.float(from, windowReadings))
    merge(this.accumulators, this.#fold.floats, into + windowHeaderFloats, from + windowHeaderFloats)
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
    this.#raw.set(slot, raw)
  }

  #count(kept: boolean): void {
    if (!kept) this.#counters.add('window_readings_not_kept_total')
  }

  #rawOf(slot: number): RawValues {
    let raw = this.#raw.get(slot)
    if (raw === undefined) {
      raw = new RawValues(this.rawLayout?.channels.length ?? 0)
      this.#raw.set(slot, raw)
    }
    return raw
  }

  #link(device: number, previous: number, slot: number): void {
    if (previous === -1) this.#devices.setInt(device, firstSlot, slot)
    else this.setInt(previous, nextSlot, slot)
  }
}
