import type { RefusedBytes } from '@millwright/core'

/** A reading that is further ahead of its device's clock than `maxJump`: the next one decides what becomes of it. */
export interface WaitingReading {
  readonly timestampMs: number
  /** Cleaned values, one per channel, NaN = missing. */
  readonly values: Float64Array
  /** Its bytes, for the dead letter that it may become. */
  readonly record: RefusedBytes
}

/** At most one waiting reading per device; `flagWaiting` of the device says whether there is one. */
export class WaitingReadings {
  readonly #byDevice = new Map<number, WaitingReading>()

  get(device: number): WaitingReading | undefined {
    return this.#byDevice.get(device)
  }

  set(device: number, reading: WaitingReading): void {
    this.#byDevice.set(device, reading)
  }

  delete(device: number): void {
    this.#byDevice.delete(device)
  }
}
