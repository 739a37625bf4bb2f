import { flagFiled, flags, wheelNext } from '@millwright/kernels'
import type { DeviceTable } from './device-table.ts'

/** Buckets to one span: a device is found at most a sixteenth of a span after its deadline has passed, by the next heartbeat. */
const bucketsPerSpan = 16
/** The bucket that time has reached, a span of later ones, and one for the remainder of a bucket. */
const bucketCount = bucketsPerSpan + 2

/**
 * Finds the devices whose deadline has passed without looking at all of them.
 *
 * D1. Every device with a deadline is in one bucket (its `flagFiled` is set), at or before the bucket of its deadline.
 * D2. A record of a device moves its deadline without touching the wheel: the device is found early, and filed again.
 * D3. No device stands in a bucket more than a span after it was filed, whatever its deadline: a record may bring the deadline
 *     forward to a span after that record (a silent device returns), and D1 must still hold.
 */
export class DeadlineWheel {
  readonly #devices: DeviceTable
  readonly #spanMs: number
  readonly #bucketMs: number
  /** First device of each bucket; −1 for none. */
  readonly #heads = new Int32Array(bucketCount).fill(-1)
  /** Number of the bucket that append time has reached; NaN before the first device. */
  #reached = Number.NaN

  /** @param spanMs The least time from a record to its device's deadline. */
  constructor(devices: DeviceTable, spanMs: number) {
    this.#devices = devices
    this.#spanMs = spanMs
    this.#bucketMs = Math.max(1, Math.ceil(spanMs / bucketsPerSpan))
  }

  /** Puts a device that is in no bucket into that of its deadline. `nowMs`: the append time it is known at. */
  file(device: number, deadlineMs: number, nowMs: number): void {
    if (Number.isNaN(this.#reached)) this.#reached = Math.floor(nowMs / this.#bucketMs)
    const wanted = Math.floor(Math.min(deadlineMs, nowMs + this.#spanMs) / this.#bucketMs)
    const bucket = Math.max(this.#reached, Math.min(wanted, this.#reached + bucketCount - 1)) % bucketCount
    this.#devices.setInt(device, wheelNext, this.#heads[bucket] as number)
    this.#devices.setFlag(device, flagFiled, true)
    this.#heads[bucket] = device
  }

  /** Takes out and returns the devices whose deadline is at or before `nowMs`, in no particular order. */
  takeDue(nowMs: number, deadlineOf: (device: number) => number): number[] {
    const due: number[] = []
    if (Number.isNaN(this.#reached)) return due
    const target = Math.floor(nowMs / this.#bucketMs)
    const later: number[] = []
    const last = Math.min(target, this.#reached + bucketCount - 1)
    for (let number = this.#reached; number <= last; number++) {
      const bucket = number % bucketCount
      let device = this.#heads[bucket] as number
      this.#heads[bucket] = -1
      while (device !== -1) {
        const next = this.#devices.int(device, wheelNext)
        this.#devices.setInt(device, flags, this.#devices.int(device, flags) & ~flagFiled)
        if (deadlineOf(device) <= nowMs) due.push(device)
        else later.push(device)
        device = next
      }
    }
    this.#reached = Math.max(this.#reached, target)
    for (const device of later) this.file(device, deadlineOf(device), nowMs)
    return due
  }
}
