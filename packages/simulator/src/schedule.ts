/**
 * When each device speaks. Tick k of device i is at `startMs + floor(k · period + i · period / deviceCount)`: the
 * fleet's readings are spread evenly over the period and, taken tick by tick and device by device, are in order.
 */
export class Schedule {
  readonly deviceCount: number
  readonly startMs: number
  readonly durationMs: number
  readonly #periodMs: number
  readonly #phaseStepMs: number

  constructor(options: { deviceCount: number; startMs: number; durationMs: number; ratePerDeviceHz: number }) {
    this.deviceCount = options.deviceCount
    this.startMs = options.startMs
    this.durationMs = options.durationMs
    this.#periodMs = 1000 / options.ratePerDeviceHz
    this.#phaseStepMs = this.#periodMs / options.deviceCount
  }

  get endMs(): number {
    return this.startMs + this.durationMs
  }

  /** True time of a reading, whole epoch milliseconds. */
  timeMs(device: number, tick: number): number {
    return this.startMs + Math.floor(tick * this.#periodMs + device * this.#phaseStepMs)
  }

  /** The first tick of the device at or after the time; never below 0. */
  firstTickFrom(device: number, timeMs: number): number {
    const estimate = Math.floor((timeMs - this.startMs - device * this.#phaseStepMs) / this.#periodMs)
    // One before the estimate, which rounding can put one too far.
    let tick = Math.max(0, estimate - 1)
    while (this.timeMs(device, tick) < timeMs) tick++
    return tick
  }
}
