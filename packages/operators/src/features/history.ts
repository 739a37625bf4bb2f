import { notKnown } from './not-known.ts'

/**
 * What the windows of a device gave, for features that look back.
 *
 * H1. A device's entries are in ascending order of window start; of equal starts (per-reading windows only) the first to be
 *     emitted stands first.
 * H2. A device has at most `capacity` entries: the newest by start. Capacity is the farthest that a feature looks back plus
 *     the windows that may still be emitted, so what a window looks back on is never gone.
 * H3. An entry holds what its window's last result gave; results of later windows are not calculated again.
 * H4. A device whose older windows are not known (they ended under an earlier plan) has a *horizon* as its oldest entry: one whose
 *     start is no whole number, with columns that are not known. Nothing is put before it, and what looks back on it or beyond
 *     it looks on what is not known. It goes, as the oldest, when there are `capacity` entries after it.
 */
export class WindowHistory {
  /** Values per entry. */
  readonly columnCount: number
  readonly capacity: number
  readonly #stride: number
  readonly #devices: (DeviceHistory | undefined)[] = []

  constructor(options: { readonly columnCount: number; readonly capacity: number }) {
    this.columnCount = options.columnCount
    this.capacity = options.capacity
    this.#stride = 1 + options.columnCount
  }

  /** Entries before a window: those of a smaller start, or of an equal one too where `equalToo`. */
  countBefore(device: number, startMs: number, equalToo: boolean): number {
    const history = this.#devices[device]
    if (history === undefined) return 0
    // From the end: the newest window is by far the most common one to ask for.
    let position = history.count
    while (position > 0) {
      const start = history.entries[(position - 1) * this.#stride] as number
      if (start < startMs || (equalToo && start === startMs)) break
      position -= 1
    }
    return position
  }

  /**
   * Value of a column at a position counted from the oldest entry: NaN (missing) where there is no such entry, `notKnown` where
   * there may have been one.
   */
  value(device: number, position: number, column: number): number {
    const history = this.#devices[device]
    if (history === undefined || position >= history.count) return Number.NaN
    if (position < 0) return hasHorizon(history) ? notKnown : Number.NaN
    return history.entries[position * this.#stride + 1 + column] as number
  }

  /** Puts a window's values at `position`; replaces the entry there where `replace`, else moves it up. */
  put(device: number, position: number, replace: boolean, startMs: number, values: Float64Array): void {
    let history = this.#devices[device]
    if (history === undefined) {
      history = { count: 0, entries: new Float64Array(Math.min(this.capacity, 4) * this.#stride) }
      this.#devices[device] = history
    }
    let at = position
    if (at === 0 && hasHorizon(history)) return
    if (!replace) {
      if (history.count === this.capacity) {
        // The oldest goes; a window older than all of a full history leaves no trace.
        if (at === 0) return
        history.entries.copyWithin(0, this.#stride, history.count * this.#stride)
        history.count -= 1
        at -= 1
      }
      this.#grow(history)
      history.entries.copyWithin((at + 1) * this.#stride, at * this.#stride, history.count * this.#stride)
      history.count += 1
    }
    history.entries[at * this.#stride] = startMs
    history.entries.set(values, at * this.#stride + 1)
  }

  /** Takes out the entry of a start, if there is one. */
  remove(device: number, startMs: number): void {
    const history = this.#devices[device]
    const position = this.countBefore(device, startMs, false)
    if (history === undefined || !this.holds(device, position, startMs)) return
    history.entries.copyWithin(position * this.#stride, (position + 1) * this.#stride, history.count * this.#stride)
    history.count -= 1
  }

  /** Whether the entry at `position` is of that start. */
  holds(device: number, position: number, startMs: number): boolean {
    const history = this.#devices[device]
    return history !== undefined && position < history.count && history.entries[position * this.#stride] === startMs
  }

  /** The device's entries, each start then values, oldest first: for its stored state. */
  entries(device: number): Float64Array {
    const history = this.#devices[device]
    return history === undefined ? new Float64Array(0) : history.entries.subarray(0, history.count * this.#stride)
  }

  /** Sets the device's entries as {@link entries} gave them. */
  setEntries(device: number, entries: Float64Array): void {
    this.#devices[device] = { count: entries.length / this.#stride, entries: entries.slice() }
  }

  forget(device: number): void {
    this.#devices[device] = undefined
  }

  #grow(history: DeviceHistory): void {
    if ((history.count + 1) * this.#stride <= history.entries.length) return
    const entries = new Float64Array(Math.min(this.capacity, Math.max(4, history.count * 2)) * this.#stride)
    entries.set(history.entries)
    history.entries = entries
  }
}

/** Start of the horizon that stands right behind the windows that begin at or before `startMs`. Starts of windows are whole. */
export function horizonAfter(startMs: number): number {
  return startMs + 0.5
}

/** Whether a window's start, as an entry has it, is that of a horizon. */
export function isHorizon(startMs: number): boolean {
  return !Number.isInteger(startMs)
}

function hasHorizon({ count, entries }: DeviceHistory): boolean {
  return count > 0 && isHorizon(entries[0] as number)
}

interface DeviceHistory {
  count: number
  entries: Float64Array
}
