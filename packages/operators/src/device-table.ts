import { limits } from '@millwright/core'
import { RecordTable } from './record-table.ts'

/**
 * What is kept of every device in fixed fields. Variable parts (a waiting reading, history, events) stand beside, by
 * the same index.
 *
 * T1. A device exists if and only if its `flagExists` is set; every field of one that does not is meaningless.
 * T2. `clock` is −Infinity until the first accepted reading, and never falls.
 * T3. `lastAppend` is NaN until a record with an append time, and never falls.
 * T4. A reading with `clock < timestamp < fastUntil` belongs to the window in `currentSlot` and, with hopping windows, to those
 *     behind it, no others; all are open and marked as changed. It closes no window, and finds no reading waiting and the device
 *     not silent. Whatever breaks this sets `fastUntil` to −Infinity first.
 * T5. A device whose state changed since the last snapshot has `flagDirty` and stands in the list of dirty ones once.
 */

/** Float fields. */
export const clock = 0
export const lastAppend = 1
export const fastUntil = 2
/** Greatest end of a window that was emitted; an event at or before it came too late for that window. */
export const emittedEnd = 3

/** Int fields: two to a float field, from float field 4 on. */
export const flags = 8
/** First window slot of the readings before {@link fastUntil}; −1 for none. */
export const currentSlot = 9
/** First of the device's windows in order of end; −1 for none. */
export const firstSlot = 10
/** 0..15 while the ring of accepted readings fills, then 16..31: the next place is this modulo 16. */
export const ringCount = 11
/** Next device in the same bucket of the deadline wheel; −1 for none. */
export const wheelNext = 12
/** Ring of the last accepted readings' hashes, two ints each; absent where redelivery is not looked for. */
export const ring = 16

const headerFloats = 8

export const flagExists = 1
export const flagDirty = 2
export const flagSilent = 4
export const flagWaiting = 8
/** The device stands in a bucket of the deadline wheel. */
export const flagFiled = 16

export class DeviceTable extends RecordTable {
  /** Devices that exist. */
  count = 0
  /** One more than the greatest index that ever existed. */
  indexEnd = 0
  readonly #dirty: number[] = []

  constructor(options: { readonly redelivery: boolean }) {
    super(headerFloats + (options.redelivery ? limits.redeliveryReadings : 0))
  }

  exists(device: number): boolean {
    return device < this.indexEnd && this.has(device, flagExists)
  }

  /** Begins a device, or begins one again from nothing. Stays filed in the wheel where it was. */
  begin(device: number): void {
    this.ensure(device)
    // The mark of a device that ended since the last snapshot is kept: its place in the list of dirty ones is.
    const kept = this.int(device, flags) & (this.exists(device) ? flagFiled | flagDirty : flagDirty)
    if (!this.exists(device)) {
      this.count += 1
      this.setInt(device, wheelNext, -1)
    }
    this.indexEnd = Math.max(this.indexEnd, device + 1)
    this.setFloat(device, clock, Number.NEGATIVE_INFINITY)
    this.setFloat(device, lastAppend, Number.NaN)
    this.setFloat(device, fastUntil, Number.NEGATIVE_INFINITY)
    this.setFloat(device, emittedEnd, Number.NEGATIVE_INFINITY)
    this.setInt(device, flags, flagExists | kept)
    this.setInt(device, currentSlot, -1)
    this.setInt(device, firstSlot, -1)
    this.setInt(device, ringCount, 0)
  }

  /** Ends a device that is no longer filed in the wheel. */
  end(device: number): void {
    this.count -= 1
    this.setInt(device, flags, this.int(device, flags) & flagDirty)
    this.setFloat(device, fastUntil, Number.NEGATIVE_INFINITY)
  }

  has(device: number, flag: number): boolean {
    return (this.int(device, flags) & flag) !== 0
  }

  setFlag(device: number, flag: number, on: boolean): void {
    const before = this.int(device, flags)
    this.setInt(device, flags, on ? before | flag : before & ~flag)
  }

  markDirty(device: number): void {
    if (this.has(device, flagDirty)) return
    this.setFlag(device, flagDirty, true)
    this.#dirty.push(device)
  }

  /** Returns the existing devices that changed since the last call, in the order they first did, and clears the marks. */
  takeDirty(): number[] {
    const changed: number[] = []
    for (const device of this.#dirty) {
      this.setFlag(device, flagDirty, false)
      if (this.has(device, flagExists)) changed.push(device)
    }
    this.#dirty.length = 0
    return changed
  }
}
