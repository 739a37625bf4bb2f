/** A timer that a host is asked to keep for a device. Times are on the append-time scale, milliseconds. */
export interface TimerRequest {
  readonly device: number
  readonly atMs: number
  /** The time of the device's timer that this one takes the place of; NaN where it has none. */
  readonly insteadOfMs: number
}

/**
 * Asks a host for timers, as few as will do.
 *
 * H1. A device with a deadline has one timer, at or before it; `askedForMs` says when it goes off.
 * H2. A record moves its device's deadline without touching the timer: the device is looked at early, and asks again.
 * H3. A deadline that comes forward (a silent device returns) moves the timer forward.
 */
export class HostTimers {
  /** By device; NaN: no timer. */
  #times = new Float64Array(256).fill(Number.NaN)
  #requests: TimerRequest[] = []

  /** Sees to it that the device is looked at by `deadlineMs`. */
  file(device: number, deadlineMs: number): void {
    const before = this.askedForMs(device)
    if (before <= deadlineMs) return
    this.set(device, deadlineMs)
    this.#requests.push({ device, atMs: deadlineMs, insteadOfMs: before })
  }

  /** When the device's timer goes off; NaN where it has none. */
  askedForMs(device: number): number {
    return this.#times[device] ?? Number.NaN
  }

  /** Notes which timer the host keeps for a device that it hands over. */
  set(device: number, askedForMs: number): void {
    if (device >= this.#times.length) {
      const larger = new Float64Array(Math.max(device + 1, 2 * this.#times.length)).fill(Number.NaN)
      larger.set(this.#times)
      this.#times = larger
    }
    this.#times[device] = askedForMs
  }

  /** The device's timer went off, or the device is gone. */
  clear(device: number): void {
    if (device < this.#times.length) this.#times[device] = Number.NaN
  }

  /** How many timers are asked for that were not taken yet. */
  get requestCount(): number {
    return this.#requests.length
  }

  /** Takes back what was asked for beyond the first `requestCount`; the times that this changed the caller sets anew. */
  undo(requestCount: number): void {
    this.#requests.length = requestCount
  }

  /** Returns what was asked for since the last call. */
  take(): TimerRequest[] {
    const requests = this.#requests
    this.#requests = []
    return requests
  }
}
