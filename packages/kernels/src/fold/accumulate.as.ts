/**
 * Adds one channel's values to windows' running values; `fold-plain.ts` says what each operation is for, and where it is from.
 * The operations here are those, in the same order.
 */
import {
  partCount,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
} from '../fold-fields'

/**
 * Adds `count` values: value i to the window that begins at `windows[i]`.
 *
 * @param offset Bytes from the start of a window's record to the channel's accumulators.
 */
export function addColumn(parts: u32, offset: u32, windows: usize, values: usize, timestamps: usize, count: u32): void {
  // The same loop for the commonest parts and for all others: where they are known, what is not kept is not asked for.
  if (parts == (partCount | partSum)) addValues(partCount | partSum, offset, windows, values, timestamps, count)
  else if (parts == (partCount | partMoment2)) addValues(partCount | partMoment2, offset, windows, values, timestamps, count)
  else addValues(parts, offset, windows, values, timestamps, count)
}

// @ts-ignore: decorator
@inline
function addValues(parts: u32, offset: u32, windows: usize, values: usize, timestamps: usize, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const x = load<f64>(values + (<usize>i << 3))
    if (x == x) {
      const at = <usize>load<u32>(windows + (<usize>i << 2)) + <usize>offset
      addValue(parts, at, x, timestamps + (<usize>i << 3))
    }
  }
}

// @ts-ignore: decorator
@inline
function addValue(parts: u32, fields: usize, x: f64, timestamp: usize): void {
  let at = fields
  const n = load<f64>(at) + 1
  store<f64>(at, n)
  at += 8
  if ((parts & partSum) != 0) {
    const before = load<f64>(at)
    const sum = before + x
    const lost = abs<f64>(before) >= abs<f64>(x) ? before - sum + x : x - sum + before
    store<f64>(at, sum)
    store<f64>(at, load<f64>(at, 8) + lost, 8)
    at += 16
  }
  if ((parts & partMoment2) != 0) {
    if (n == 1) store<f64>(at, x)
    const shifted = x - load<f64>(at)
    const mean = load<f64>(at, 8)
    const m2 = load<f64>(at, 16)
    const difference = shifted - mean
    const step = difference / n
    const term = difference * step * (n - 1)
    store<f64>(at, mean + step, 8)
    store<f64>(at, m2 + term, 16)
    at += 24
    if ((parts & partMoment3) != 0) {
      const m3 = load<f64>(at)
      store<f64>(at, m3 + term * step * (n - 2) - 3 * step * m2)
      at += 8
      if ((parts & partMoment4) != 0) {
        store<f64>(
          at,
          load<f64>(at) + term * step * step * (n * n - 3 * n + 3) + 6 * step * step * m2 - 4 * step * m3,
        )
        at += 8
      }
    }
    if ((parts & partSlope) != 0) {
      const timestampMs = load<f64>(timestamp)
      if (n == 1) store<f64>(at, timestampMs)
      const elapsed = timestampMs - load<f64>(at)
      const elapsedDifference = elapsed - load<f64>(at, 8)
      const elapsedMean = load<f64>(at, 8) + elapsedDifference / n
      store<f64>(at, elapsedMean, 8)
      store<f64>(at, load<f64>(at, 16) + elapsedDifference * (elapsed - elapsedMean), 16)
      store<f64>(at, load<f64>(at, 24) + elapsedDifference * (shifted - (mean + step)), 24)
      at += 32
    }
  }
  if ((parts & partExtremes) != 0) {
    if (n == 1 || x < load<f64>(at)) store<f64>(at, x)
    if (n == 1 || x > load<f64>(at, 8)) store<f64>(at, x, 8)
    at += 16
  }
  if ((parts & partFirst) != 0) {
    const timestampMs = load<f64>(timestamp)
    if (n == 1 || timestampMs < load<f64>(at)) {
      store<f64>(at, timestampMs)
      store<f64>(at, x, 8)
    }
    at += 16
  }
  if ((parts & partLast) != 0) {
    const timestampMs = load<f64>(timestamp)
    if (n == 1 || timestampMs >= load<f64>(at)) {
      store<f64>(at, timestampMs)
      store<f64>(at, x, 8)
    }
  }
}
