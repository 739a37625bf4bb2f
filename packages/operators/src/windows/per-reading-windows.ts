import type { CurrentReading } from '../current-reading.ts'
import type { ResultWriter } from '../output/result-writer.ts'
import type { DeviceWindows } from './device-windows.ts'
import type { WindowStore } from './window-store.ts'

/**
 * Each accepted reading is a window `[timestamp, timestamp + 1)` of its own, with one result at once. It is never late: no other
 * reading could have closed it. No reading goes the short way: each gives a result.
 */
export class PerReadingWindows implements DeviceWindows {
  readonly #store: WindowStore
  readonly #results: ResultWriter

  constructor(store: WindowStore, results: ResultWriter) {
    this.#store = store
    this.#results = results
  }

  add(device: number, reading: CurrentReading, closedAtMs: number, inputOffset: number): void {
    const slot = this.#store.open(device, -1, reading.timestampMs, reading.timestampMs + 1)
    this.#store.add(slot, reading)
    this.#results.window(device, slot, closedAtMs, inputOffset)
    this.#store.remove(device, -1, slot)
  }
}
