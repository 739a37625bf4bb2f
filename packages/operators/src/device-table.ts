import {
  blockDevices,
  blockShift,
  clock,
  currentSlot,
  dirtyNext,
  emittedEnd,
  type Fold,
  fastUntil,
  firstSlot,
  flagDirty,
  flagExists,
  flagFiled,
  flags,
  lastAppend,
  ringCount,
  wheelNext,
} from '@millwright/kernels'

/**
 * What is kept of every device in fixed fields, in the memory of the fold, which does the short way of readings there. Variable
 * parts (a waiting reading, history, events) stand beside, by the same index.
 *
 * Float fields: `clock`; `lastAppend`; `fastUntil` (T4); `emittedEnd`, the greatest end of a window that was emitted: an event at or
 * before it came too late for that window.
 *
 * Int fields: `flags`; `currentSlot`, the first window of the readings before `fastUntil`, −1 for none; `firstSlot`, the first of the
 * device's windows in order of end, −1 for none; `ringCount`, 0..15 while the ring of accepted readings fills, then 16..31, so that
 * the next place is this modulo 16; `wheelNext`, the next device in the same bucket of the deadline wheel, −1 for none; `dirtyNext`,
 * the device that became dirty after this one, −1 for none; `ring`, hashes of the last accepted readings, two ints each, absent
 * where redelivery is not looked for.
 *
 * T1. A device exists if and only if its `flagExists` is set; every field of one that does not is meaningless.
 * T2. `clock` is −Infinity until the first accepted reading, and never falls.
 * T3. `lastAppend` is NaN until a record with an append time, and never falls.
 * T4. A reading with `clock < timestamp < fastUntil` belongs to the window in `currentSlot` and, with hopping windows, to those
 *     behind it, no others; all are open and marked as changed. It closes no window, and finds no reading waiting and the device
 *     not silent. Whatever breaks this sets `fastUntil` to −Infinity first.
 * T5. A device whose state changed since the last snapshot has `flagDirty` and stands in the list of dirty ones once.
 * T6. Every index below `indexEnd` has a record, which is zero bits until a device begins there.
 */

export class DeviceTable {
  /** Devices that exist. */
  count = 0
  readonly #fold: Fold
  /** Where the records of each 4,096 devices begin, in float64s. */
  readonly #blocks: number[] = []

  constructor(fold: Fold) {
    this.#fold = fold
  }

  /** One more than the greatest index that ever existed. */
  get indexEnd(): number {
    return this.#fold.deviceEnd
  }

  exists(device: number): boolean {
    return device < this.indexEnd && this.has(device, flagExists)
  }

  /**
   * Begins a device, or begins one again from nothing. Stays filed in the wheel where it was.
   *
   * @throws {RangeError} When the memory is full; see {@link Fold.addDeviceBlock}.
   */
  begin(device: number): void {
    while (device >= this.#blocks.length * blockDevices) this.#blocks.push(this.#fold.addDeviceBlock())
    if (device >= this.indexEnd) this.#fold.deviceEnd = device + 1
    // The mark of a device that ended since the last snapshot is kept: its place in the list of dirty ones is.
    const kept = this.int(device, flags) & (this.exists(device) ? flagFiled | flagDirty : flagDirty)
    if (!this.exists(device)) {
      this.count += 1
      this.setInt(device, wheelNext, -1)
    }
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

  float(device: number, field: number): number {
    return this.#fold.floats[this.#base(device) + field] as number
  }

  setFloat(device: number, field: number, value: number): void {
    this.#fold.floats[this.#base(device) + field] = value
  }

  int(device: number, field: number): number {
    return this.#fold.ints[2 * this.#base(device) + field] as number
  }

  setInt(device: number, field: number, value: number): void {
    this.#fold.ints[2 * this.#base(device) + field] = value
  }

  has(device: number, flag: number): boolean {
    return (this.int(device, flags) & flag) !== 0
  }

  setFlag(device: number, flag: number, on: boolean): void {
    const before = this.int(device, flags)
    this.setInt(device, flags, on ? before | flag : before & ~flag)
  }

  /** Marks a device as changed, as the fold does for readings that go the short way. */
  markDirty(device: number): void {
    if (this.has(device, flagDirty)) return
    const last = this.#fold.dirtyLast
    this.setFlag(device, flagDirty, true)
    this.setInt(device, dirtyNext, -1)
    if (last === -1) this.#fold.dirtyFirst = device
    else this.setInt(last, dirtyNext, device)
    this.#fold.dirtyLast = device
  }

  /**
   * Returns existing devices that changed since they were last returned, at most `max`, in the order in which they first did, and clears
   * their marks. None are returned when none are left, and only then.
   */
  takeDirty(max = Number.POSITIVE_INFINITY): number[] {
    const changed: number[] = []
    let device = this.#fold.dirtyFirst
    while (device !== -1 && changed.length < max) {
      this.setFlag(device, flagDirty, false)
      if (this.has(device, flagExists)) changed.push(device)
      device = this.int(device, dirtyNext)
    }
    this.#fold.dirtyFirst = device
    if (device === -1) this.#fold.dirtyLast = -1
    return changed
  }

  /** Where a device's record begins, in float64s. */
  #base(device: number): number {
    const block = this.#blocks[device >>> blockShift] as number
    return block + (device & (blockDevices - 1)) * this.#fold.deviceFloats
  }
}
