import type { HoppingWindow, TimeRules, TumblingWindow } from '@millwright/core'
import { clock, currentSlot, fastUntil, windowEnd, windowStart } from '@millwright/kernels'
import type { CurrentReading } from '../current-reading.ts'
import type { DeviceTable } from '../device-table.ts'
import type { ResultWriter } from '../output/result-writer.ts'
import type { DeviceWindows } from './device-windows.ts'
import { flagClosed, type WindowStore } from './window-store.ts'

/**
 * Tumbling and hopping windows: `[k·slide, k·slide + size)` for each whole k, aligned to the epoch. With size 10 s and slide 5 s
 * a reading at 12:00:07 is in [12:00:00, 12:00:10) and [12:00:05, 12:00:15).
 */
export class AlignedWindows implements DeviceWindows {
  readonly #devices: DeviceTable
  readonly #store: WindowStore
  readonly #results: ResultWriter
  readonly #sizeMs: number
  readonly #slideMs: number
  readonly #graceMs: number
  readonly #allowedLatenessMs: number

  constructor(
    devices: DeviceTable,
    store: WindowStore,
    results: ResultWriter,
    window: TumblingWindow | HoppingWindow,
    time: TimeRules,
  ) {
    this.#devices = devices
    this.#store = store
    this.#results = results
    this.#sizeMs = window.sizeMs
    this.#slideMs = window.kind === 'tumbling' ? window.sizeMs : window.slideMs
    this.#graceMs = time.graceMs
    this.#allowedLatenessMs = time.allowedLatenessMs
  }

  add(device: number, reading: CurrentReading, closedAtMs: number, inputOffset: number): void {
    const store = this.#store
    const timestampMs = reading.timestampMs
    const clockMs = this.#devices.float(device, clock)
    // Floor, not truncate: a time before 1970 belongs to the window that begins before it.
    const newestMs = Math.floor(timestampMs / this.#slideMs) * this.#slideMs
    const earlier = Math.floor((this.#sizeMs - (timestampMs - newestMs) - 1) / this.#slideMs)
    let previous = -1
    let first = -1
    let missed = false
    for (let startMs = newestMs - earlier * this.#slideMs; startMs <= newestMs; startMs += this.#slideMs) {
      const endMs = startMs + this.#sizeMs
      const closesMs = endMs + this.#graceMs
      if (closesMs + this.#allowedLatenessMs <= clockMs) {
        missed = true
        continue
      }
      let slot = store.after(device, previous)
      while (slot !== -1 && store.float(slot, windowStart) < startMs) {
        previous = slot
        slot = store.next(slot)
      }
      if (slot === -1 || store.float(slot, windowStart) !== startMs) slot = store.open(device, previous, startMs, endMs)
      store.add(slot, reading)
      previous = slot
      if (first === -1) first = slot
      if (closesMs <= clockMs) {
        store.setFlag(slot, flagClosed, true)
        this.#results.window(device, slot, closedAtMs, inputOffset)
      }
    }
    if (missed) this.#results.lateReading(device, timestampMs, clockMs, reading.values, inputOffset)
    if (this.#sizeMs % this.#slideMs === 0) this.#setFastUntil(device, first, newestMs, timestampMs === clockMs)
  }

  /**
   * Says how far readings in order may go the short way (T4): until a window begins or ends, and before the first open one closes.
   * Where the size is a multiple of the slide, one ends exactly where one begins.
   *
   * @param first First window of the reading at hand.
   * @param newestMs Start of its last one.
   * @param inOrder Whether it is the newest reading of its device, so that all its windows are open.
   */
  #setFastUntil(device: number, first: number, newestMs: number, inOrder: boolean): void {
    const devices = this.#devices
    let untilMs = inOrder ? newestMs + this.#slideMs : devices.float(device, fastUntil)
    let open = this.#store.first(device)
    while (open !== -1 && this.#store.has(open, flagClosed)) open = this.#store.next(open)
    if (open !== -1) untilMs = Math.min(untilMs, this.#store.float(open, windowEnd) + this.#graceMs)
    devices.setFloat(device, fastUntil, untilMs)
    if (inOrder) devices.setInt(device, currentSlot, first)
  }
}
