import type { SessionWindow, TimeRules } from '@millwright/core'
import { clock, emissions, emittedStart, windowEnd, windowStart } from '@millwright/kernels'
import type { CurrentReading } from '../current-reading.ts'
import type { DeviceTable } from '../device-table.ts'
import type { WindowHistory } from '../features/history.ts'
import type { ResultWriter } from '../output/result-writer.ts'
import type { DeviceWindows } from './device-windows.ts'
import type { WindowStore } from './window-store.ts'

/**
 * Session windows `[first reading, last reading + gap)`: a reading joins an open session unless it is at least the gap away from
 * its first and last reading; one that joins two makes them one. A reading exactly the gap after the last begins a new session.
 *
 * No reading goes the short way: each may change its window's bounds.
 *
 * N1. Two open sessions of a device never overlap: what overlaps is merged at once.
 * N2. A merged session goes on with the greater number of results, and has at most one entry in the history.
 */
export class SessionWindows implements DeviceWindows {
  readonly #devices: DeviceTable
  readonly #store: WindowStore
  readonly #results: ResultWriter
  readonly #history: WindowHistory
  readonly #gapMs: number
  readonly #graceMs: number

  constructor(
    devices: DeviceTable,
    store: WindowStore,
    results: ResultWriter,
    history: WindowHistory,
    window: SessionWindow,
    time: TimeRules,
  ) {
    this.#devices = devices
    this.#store = store
    this.#results = results
    this.#history = history
    this.#gapMs = window.gapMs
    this.#graceMs = time.graceMs
  }

  add(device: number, reading: CurrentReading, _closedAtMs: number, inputOffset: number): void {
    const store = this.#store
    const timestampMs = reading.timestampMs
    const endMs = timestampMs + this.#gapMs
    let previous = -1
    let slot = store.first(device)
    while (slot !== -1 && store.float(slot, windowEnd) <= timestampMs) {
      previous = slot
      slot = store.next(slot)
    }
    if (slot === -1 || store.float(slot, windowStart) >= endMs) {
      const clockMs = this.#devices.float(device, clock)
      // An open session ends after clock − grace, so only a reading that joins none can be late.
      if (endMs + this.#graceMs <= clockMs) {
        this.#results.lateReading(device, timestampMs, clockMs, reading.values, inputOffset)
        return
      }
      store.add(store.open(device, previous, timestampMs, endMs), reading)
      return
    }
    store.add(slot, reading)
    store.setFloat(slot, windowStart, Math.min(store.float(slot, windowStart), timestampMs))
    store.setFloat(slot, windowEnd, Math.max(store.float(slot, windowEnd), endMs))
    const next = store.next(slot)
    if (next !== -1 && store.float(next, windowStart) < endMs) this.#merge(device, slot, next)
  }

  #merge(device: number, slot: number, next: number): void {
    const store = this.#store
    store.absorb(slot, next)
    store.setFloat(slot, windowEnd, store.float(next, windowEnd))
    const results = store.int(slot, emissions)
    const nextResults = store.int(next, emissions)
    // The result that the later part gave is no window any more; the earlier part's stays until the next one replaces it.
    if (nextResults > 0) this.#history.remove(device, store.float(next, emittedStart))
    if (results === 0) store.setFloat(slot, emittedStart, store.float(slot, windowStart))
    store.setInt(slot, emissions, Math.max(results, nextResults))
    store.remove(device, slot, next)
  }
}
