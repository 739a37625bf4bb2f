import { alertSeverities, assert } from '@millwright/core'
import type { ByteReader } from '../byte-reader.ts'
import type { ByteWriter } from '../byte-writer.ts'

/** Fields of a device, in float64s. Two more follow for each window that is kept: its start, and the severity of its answer. */
export const alertSeverity = 0
export const alertSince = 1
export const alertReached = 2
export const alertHeld = 3
export const alertWindowCount = 4
const headerFields = 5

/**
 * What alert policies remember of devices.
 *
 * Fields: `alertSeverity`, 0 while no alert stands, else one more than the place in `alertSeverities`; `alertSince`, `alertReached`,
 * `alertHeld`, ends of windows: of the one that raised the alert, of the one that brought it to its severity, the greatest of those
 * above the first threshold; `alertWindowCount`.
 *
 * A1. A device of which nothing is remembered is all zeros; one that was never seen is the same as one that was forgotten.
 * A2. The windows kept are the last that gave an answer since the device's alert last ended or was muted, in order of their first answers.
 * A3. All of it is as of the last flush: what still waits to be scored has not been decided on.
 */
export class AlertStates {
  /** Most windows kept of a device. */
  readonly windowsMax: number
  readonly #stride: number
  #floats: Float64Array

  constructor(windowsMax: number) {
    this.windowsMax = windowsMax
    this.#stride = headerFields + 2 * windowsMax
    this.#floats = new Float64Array(64 * this.#stride)
  }

  get(device: number, field: number): number {
    return this.#floats[device * this.#stride + field] ?? 0
  }

  set(device: number, field: number, value: number): void {
    const at = this.#base(device) + field
    this.#floats[at] = value
  }

  /** Whether an alert stands. */
  stands(device: number): boolean {
    return this.get(device, alertSeverity) > 0
  }

  /** Severity of the answer of a window that is kept; 0 is the oldest. */
  answer(device: number, window: number): number {
    return this.get(device, headerFields + 2 * window + 1)
  }

  /** Place of the newest window kept that was given under this start; −1 where there is none. */
  find(device: number, startMs: number): number {
    let window = this.get(device, alertWindowCount) - 1
    while (window >= 0 && this.get(device, headerFields + 2 * window) !== startMs) window -= 1
    return window
  }

  /** Keeps a window's answer in the place of what was there. */
  replace(device: number, window: number, startMs: number, answer: number): void {
    this.set(device, headerFields + 2 * window, startMs)
    this.set(device, headerFields + 2 * window + 1, answer)
  }

  /** Keeps a window's answer as the newest, and of all the newest `max`. */
  append(device: number, startMs: number, answer: number, max: number): void {
    const count = this.get(device, alertWindowCount)
    const dropped = Math.max(0, count + 1 - max)
    if (dropped > 0) {
      const first = this.#base(device) + headerFields
      this.#floats.copyWithin(first, first + 2 * dropped, first + 2 * count)
    }
    this.set(device, alertWindowCount, count - dropped + 1)
    this.replace(device, count - dropped, startMs, answer)
  }

  /** Forgets everything of a device. */
  forget(device: number): void {
    if ((device + 1) * this.#stride > this.#floats.length) return
    const base = device * this.#stride
    this.#floats.fill(0, base, base + this.#stride)
  }

  /** What is remembered of a device, to be put back. */
  copy(device: number): Float64Array {
    const base = this.#base(device)
    return this.#floats.slice(base, base + this.#stride)
  }

  put(device: number, state: Float64Array): void {
    assert(state.length <= this.#stride, 'a state has no more windows than are kept')
    this.forget(device)
    // First the room: asking for it may make the array anew.
    const base = this.#base(device)
    this.#floats.set(state, base)
  }

  write(device: number, writer: ByteWriter): void {
    const severity = this.get(device, alertSeverity)
    writer.uint8(severity)
    if (severity > 0) for (const field of [alertSince, alertReached, alertHeld]) writer.float64(this.get(device, field))
    const count = this.get(device, alertWindowCount)
    writer.uint8(count)
    for (let window = 0; window < count; window++) {
      writer.float64(this.get(device, headerFields + 2 * window))
      writer.uint8(this.answer(device, window))
    }
  }

  #base(device: number): number {
    const base = device * this.#stride
    if (base + this.#stride > this.#floats.length) {
      const larger = new Float64Array(Math.max(base + this.#stride, 2 * this.#floats.length))
      larger.set(this.#floats)
      this.#floats = larger
    }
    return base
  }
}

/**
 * Reads what {@link AlertStates.write} wrote, for {@link AlertStates.put}.
 *
 * @param problem Makes the error of bytes that no state is written as.
 */
export function readAlertState(
  reader: ByteReader,
  windowsMax: number,
  problem: (wanted: string, details: Readonly<Record<string, number>>) => Error,
): Float64Array {
  const severityOf = (value: number): number => {
    if (value > alertSeverities.length)
      throw problem(`a severity must be at most ${alertSeverities.length}: found ${value}`, { severity: value })
    return value
  }
  const severity = severityOf(reader.uint8())
  const times = severity === 0 ? [0, 0, 0] : [reader.float64(), reader.float64(), reader.float64()]
  const count = reader.uint8()
  if (count > windowsMax)
    throw problem(`an alert policy must keep at most ${windowsMax} windows: found ${count}`, { alertWindows: count })
  const windows = Array.from({ length: count }, () => [reader.float64(), severityOf(reader.uint8())])
  return Float64Array.from([severity, ...times, count, ...windows.flat()])
}

/** Returns the state with no more than its newest windows, as a policy that keeps fewer has it. */
export function newestAlertWindows(state: Float64Array, windowsMax: number): Float64Array {
  const count = state[alertWindowCount] as number
  if (count <= windowsMax) return state
  const kept = state.slice(headerFields + 2 * (count - windowsMax), headerFields + 2 * count)
  const cut = Float64Array.from([...state.subarray(0, headerFields), ...kept])
  cut[alertWindowCount] = windowsMax
  return cut
}
