/**
 * The fold kernel: the short way of readings (in order, good, of a window that is open anyway) from columns into the records of
 * their devices and windows. `fold-plain.ts` is the same thing in plain TypeScript, and the tests hold the two equal to the bit;
 * `fold-fields.ts` says where everything stands.
 *
 * Rows are taken in pieces of a few dozen: first it is seen which rows go the short way, then each channel is added by a loop over
 * its column. A piece's records stay in the first-level cache from one step to the next, and within a step no row waits for another.
 *
 * Invariants
 * - F1: a row that may not go the short way changes nothing, nor does any row behind it.
 * - F2: floating-point operations are those of the twin, in its order.
 * - F3: nothing here allocates; no address in the header changes.
 */
import {
  headerAccumulatorCount,
  headerAccumulators,
  headerAppendTimes,
  headerAppendTimeStep,
  headerArrival,
  headerColumnBytes,
  headerColumnCount,
  headerColumns,
  headerDeviceBytes,
  headerDeviceEnd,
  headerDevices,
  headerDirectory,
  headerDirtyFirst,
  headerDirtyLast,
  headerHashes,
  headerMaxClockAheadMs,
  headerMaxJumpMs,
  headerRuleCount,
  headerRules,
  headerSilentAfterMs,
  headerSlots,
  headerWindowsPerReading,
  blockDevices,
  blockShift,
  clock,
  currentSlot,
  dirtyNext,
  fastUntil,
  flagDirty,
  flags,
  lastAppend,
  ring,
  ringCount,
  ringReadings,
  ruleBytes,
  accumulatorBytes,
  nextSlot,
  windowReadings,
} from './fold-fields'
import { addColumn } from './fold/accumulate.as'
import { hashColumns } from './fold/hash.as'

/** Rows of one piece. */
const pieceRows: u32 = 64

/** Where the windows of a piece's rows begin, in the page that the loader leaves to this module's static data. */
const pieceWindows: usize = memory.data(<i32>pieceRows * 4, 16)

/** Hashes the rows from `first` to `end` (not with); what stands in the three hashes behind them is lost. */
export function hashRows(header: usize, first: u32, end: u32): void {
  hashColumns(
    load<u32>(header, headerColumns << 2),
    load<u32>(header, headerColumnBytes << 2),
    load<u32>(header, headerColumnCount << 2),
    first,
    end,
    <usize>load<u32>(header, headerHashes << 2) + (<usize>first << 3),
  )
}

/** Takes the rows from `first` on that may go the short way; returns the first row that may not. */
export function takeInOrder(header: usize, first: u32, rowCount: u32): u32 {
  let row = first
  let more = row < rowCount
  while (more) {
    const end = min(row + pieceRows, rowCount)
    const taken = selectRows(header, row, end)
    if (taken > row) addRows(header, row, taken)
    more = taken == end && end < rowCount
    row = taken
  }
  return row
}

/** Adds one row to a window, whatever its device. */
export function addReading(header: usize, row: u32, slot: i32): void {
  store<u32>(pieceWindows, slot << 3)
  addToWindows(header, row, row + 1)
}

/**
 * Moves the clocks of the devices of the rows from `first` on, remembers their hashes, notes which window each row goes to, and
 * stops before the first row that may not go the short way, or at `end`.
 */
function selectRows(header: usize, first: u32, end: u32): u32 {
  const devices = <usize>load<u32>(header, headerDevices << 2)
  const timestamps = <usize>load<u32>(header, headerColumns << 2)
  const slots = <usize>load<u32>(header, headerSlots << 2)
  const directory = <usize>load<u32>(header, headerDirectory << 2)
  const deviceBytes = <usize>load<u32>(header, headerDeviceBytes << 2)
  const deviceEnd = load<u32>(header, headerDeviceEnd << 2)
  const rules = <usize>load<u32>(header, headerRules << 2)
  const rulesEnd = rules + <usize>load<u32>(header, headerRuleCount << 2) * ruleBytes
  const arrival = load<u32>(header, headerArrival << 2) != 0
  const hashes = <usize>load<u32>(header, headerHashes << 2)
  const maxJumpMs = load<f64>(header, headerMaxJumpMs << 3)
  const maxClockAheadMs = load<f64>(header, headerMaxClockAheadMs << 3)
  const silentAfterMs = load<f64>(header, headerSilentAfterMs << 3)
  const appendTimes = <usize>load<u32>(header, headerAppendTimes << 2)
  const appendTimeStep = <usize>load<u32>(header, headerAppendTimeStep << 2)
  let row = first
  let inOrder = true
  while (inOrder && row < end) {
    // As an unsigned number a row without a device is beyond all devices.
    const device = load<u32>(devices + (<usize>row << 2))
    inOrder = device < deviceEnd
    let rule = rules
    while (inOrder && rule < rulesEnd) {
      const value = load<f64>(<usize>load<u32>(rule) + (<usize>row << 3))
      inOrder = !(value < load<f64>(rule, 8) || value > load<f64>(rule, 16))
      rule += ruleBytes
    }
    if (inOrder) {
      const record = recordOf(directory, deviceBytes, device)
      const timestampMs = load<f64>(timestamps + (<usize>row << 3))
      const clockMs = load<f64>(record, clock << 3)
      const lastAppendMs = load<f64>(record, lastAppend << 3)
      const appendTimeMs = load<f64>(appendTimes + <usize>row * appendTimeStep)
      const timeless = appendTimeMs != appendTimeMs
      // Where the append time is not known no reading is ahead of it; where it is, a device that has none yet is not in order.
      inOrder =
        timestampMs < load<f64>(record, fastUntil << 3) &&
        (timestampMs > clockMs || (arrival && timestampMs == clockMs)) &&
        !(timestampMs - clockMs > maxJumpMs || timestampMs > appendTimeMs + maxClockAheadMs) &&
        (timeless || (lastAppendMs > appendTimeMs - silentAfterMs && lastAppendMs <= appendTimeMs))
      if (inOrder) {
        if (!timeless) store<f64>(record, appendTimeMs, lastAppend << 3)
        store<f64>(record, timestampMs, clock << 3)
        const marks = load<u32>(record, flags << 2)
        if ((marks & flagDirty) == 0) {
          store<u32>(record, marks | flagDirty, flags << 2)
          store<i32>(record, -1, dirtyNext << 2)
          const last = load<i32>(header, headerDirtyLast << 2)
          if (last < 0) store<u32>(header, device, headerDirtyFirst << 2)
          else store<u32>(recordOf(directory, deviceBytes, last), device, dirtyNext << 2)
          store<u32>(header, device, headerDirtyLast << 2)
        }
        if (!arrival) remember(record, load<u64>(hashes + (<usize>row << 3)))
        const slot = load<i32>(record, currentSlot << 2)
        store<i32>(slots + (<usize>row << 2), slot)
        store<u32>(pieceWindows + (<usize>(row - first) << 2), slot << 3)
        row++
      }
    }
  }
  return row
}

// @ts-ignore: decorator
@inline
function recordOf(directory: usize, deviceBytes: usize, device: u32): usize {
  return <usize>load<u32>(directory + (<usize>(device >> blockShift) << 2)) + <usize>(device & (blockDevices - 1)) * deviceBytes
}

/** Puts a hash into a device's ring, in the place of the oldest. */
// @ts-ignore: decorator
@inline
function remember(record: usize, hash: u64): void {
  const count = load<u32>(record, ringCount << 2)
  store<u64>(record + (<usize>(count & (ringReadings - 1)) << 3), hash, ring << 2)
  store<u32>(record, count == 2 * ringReadings - 1 ? ringReadings : count + 1, ringCount << 2)
}

/** Adds the rows of a piece to the windows noted for them, and to as many behind each as a reading is in. */
function addRows(header: usize, first: u32, end: u32): void {
  addToWindows(header, first, end)
  const windowsPerReading = load<u32>(header, headerWindowsPerReading << 2)
  for (let further: u32 = 1; further < windowsPerReading; further++) {
    for (let at = pieceWindows; at < pieceWindows + (<usize>(end - first) << 2); at += 4)
      store<u32>(at, load<u32>(<usize>load<u32>(at), nextSlot << 2) << 3)
    addToWindows(header, first, end)
  }
}

/** Adds the rows from `first` to `end` (not with) to the windows of the piece, one each. */
function addToWindows(header: usize, first: u32, end: u32): void {
  for (let at = pieceWindows; at < pieceWindows + (<usize>(end - first) << 2); at += 4) {
    const window = <usize>load<u32>(at)
    store<f64>(window, load<f64>(window, windowReadings << 3) + 1, windowReadings << 3)
  }
  const timestamps = <usize>load<u32>(header, headerColumns << 2)
  let accumulator = <usize>load<u32>(header, headerAccumulators << 2)
  const accumulatorsEnd = accumulator + <usize>load<u32>(header, headerAccumulatorCount << 2) * accumulatorBytes
  while (accumulator < accumulatorsEnd) {
    addColumn(
      load<u32>(accumulator, 4),
      load<u32>(accumulator, 8),
      pieceWindows,
      <usize>load<u32>(accumulator) + (<usize>first << 3),
      timestamps + (<usize>first << 3),
      end - first,
    )
    accumulator += accumulatorBytes
  }
}
