/**
 * Which devices were used last, by their index in the directory: what is let go of first.
 *
 * L1. A device is as recent as the last call that named it; the devices of one call are equally recent.
 */
export class Recency {
  #used = new Int32Array(1024)
  #end = 0
  #call = 0

  /** Begins a call. */
  begin(): void {
    this.#call += 1
  }

  /** The call at hand uses a device. */
  use(device: number): void {
    if (device >= this.#used.length) {
      const larger = new Int32Array(Math.max(device + 1, 2 * this.#used.length))
      larger.set(this.#used)
      this.#used = larger
    }
    this.#used[device] = this.#call
    if (device >= this.#end) this.#end = device + 1
  }

  /** The device is gone; its index may name another one. */
  drop(device: number): void {
    if (device < this.#end) this.#used[device] = 0
  }

  /** Returns the `count` devices that were used longest ago, those first. */
  oldest(count: number): number[] {
    const devices: number[] = []
    for (let device = 0; device < this.#end; device++) if (this.#used[device] !== 0) devices.push(device)
    devices.sort((a, b) => (this.#used[a] as number) - (this.#used[b] as number))
    return devices.slice(0, count)
  }
}
