import type { TimeRules } from '@millwright/core'
import { clock, fastUntil, windowEnd } from '@millwright/kernels'
import type { DeviceTable } from '../device-table.ts'
import type { ResultWriter } from '../output/result-writer.ts'
import { flagChanged, flagClosed, type WindowStore } from './window-store.ts'

/**
 * Closes windows, in order of end.
 *
 * C1. A window closes when `end + grace <= device clock`; it gives a result unless its last one, given at a silence, still holds.
 * C2. A closed window is kept while `device clock < end + grace + allowed lateness`, then it is gone for good.
 */
export class WindowCloser {
  readonly #devices: DeviceTable
  readonly #store: WindowStore
  readonly #results: ResultWriter
  readonly #graceMs: number
  readonly #allowedLatenessMs: number

  constructor(devices: DeviceTable, store: WindowStore, results: ResultWriter, time: TimeRules) {
    this.#devices = devices
    this.#store = store
    this.#results = results
    this.#graceMs = time.graceMs
    this.#allowedLatenessMs = time.allowedLatenessMs
  }

  /** Closes the windows that the device clock has passed. */
  closeDue(device: number, closedAtMs: number, inputOffset: number): void {
    const store = this.#store
    const clockMs = this.#devices.float(device, clock)
    let previous = -1
    let slot = store.first(device)
    while (slot !== -1) {
      const closesMs = store.float(slot, windowEnd) + this.#graceMs
      if (closesMs > clockMs) break
      if (!store.has(slot, flagClosed)) {
        store.setFlag(slot, flagClosed, true)
        if (store.has(slot, flagChanged)) this.#results.window(device, slot, closedAtMs, inputOffset)
      }
      if (closesMs + this.#allowedLatenessMs <= clockMs) store.remove(device, previous, slot)
      else previous = slot
      slot = store.after(device, previous)
    }
  }

  /** Gives results of the open windows as they are, and leaves them open: the device is silent. */
  emitOpen(device: number, closedAtMs: number, inputOffset: number): void {
    const store = this.#store
    for (let slot = store.first(device); slot !== -1; slot = store.next(slot)) {
      if (store.has(slot, flagClosed) || !store.has(slot, flagChanged)) continue
      this.#results.window(device, slot, closedAtMs, inputOffset)
    }
    // The current window has a result now: what comes next must mark it changed, which only the long way does (T4).
    this.#devices.setFloat(device, fastUntil, Number.NEGATIVE_INFINITY)
  }

  /** Gives results of the open windows and ends them all: bounded input is over. */
  closeAll(device: number, closedAtMs: number, inputOffset: number): void {
    this.emitOpen(device, closedAtMs, inputOffset)
    this.#store.removeAll(device)
  }
}
