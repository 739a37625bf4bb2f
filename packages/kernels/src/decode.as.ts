/**
 * The decode kernel: newline-separated JSON readings to columns.
 *
 * It accepts a line only where it is certain, and then gives the same row as the plain path (`decodeWithJsonParse` in `operators`);
 * every other line it leaves *undecided*, and the plain path says what it is. So no rule of refusal lives here, and a reason cannot differ.
 *
 * Invariants
 * - K1: every line in [start, end) ends with a newline, and `readAheadBytes` after `end` may be read.
 * - K2: no function that reads a line passes its newline, whatever the bytes are; nothing is read beyond K1.
 * - K3: row i of the columns is line i. An undecided row is in `undecidedRows`, its `deviceColumn` is `deviceUndecided`; its line's
 *   start and end hold, its other values are void.
 * - K4: a device is added only by a line that is accepted.
 *
 * AssemblyScript 0.28 compiles some endless loops (`while (true)` with `continue` or `break`) to code that traps: here every loop
 * has a condition that ends it.
 */
import { byteAt, carriageReturn, findNewline } from './decode/bytes.as'
import { deviceIndexOf, shortIdIndex } from './decode/device-directory.as'
import { idHigh, idLength, idLow, idStart, setDeviceIdBytesMax } from './decode/device-id.as'
import {
  deviceColumn,
  deviceOfBlankLine,
  deviceUndecided,
  lineEndColumn,
  lineStartColumn,
  rowsMax,
  timestampColumn,
  undecidedRows,
} from './decode/layout.as'
import { clearChannels, isBlank, scanLine, setFields } from './decode/line-scanner.as'
import { learnFromMiss, matchTemplates, setTemplateChannels } from './decode/line-template.as'
import { setAcceptedTimes, timestampValue } from './decode/timestamp.as'
import { setNestingMax } from './decode/value.as'

export {
  channelColumns,
  channelColumnStride,
  channelsMax,
  deviceColumn,
  exactPowers,
  fieldNames,
  idScratch,
  lineEndColumn,
  lineStartColumn,
  prefixMask,
  readAheadBytes,
  rowsMax,
  timestampColumn,
  undecidedRows,
  widePowerMax,
  widePowers,
} from './decode/layout.as'
export {
  deviceCountNow,
  deviceIdAddress,
  deviceIdLength,
  deviceIndexOf,
  hasRoomForId,
  longIdBytesInUse,
  moveDevices,
  moveLongIds,
  removeDevice,
} from './decode/device-directory.as'

let lineBytesMax: u32 = 0
let undecidedCount: u32 = 0
let decodedEnd: usize = 0

/** Sets what a reading is. Called once, after the loader has filled the tables of `layout.as.ts`. */
export function configure(
  channelCount: u32,
  timestampWanted: bool,
  acceptedFromMs: f64,
  acceptedBeforeMs: f64,
  deviceIdBytesMax: u32,
  lineBytesAtMost: u32,
  nestingMax: u32,
): void {
  setFields(channelCount, timestampWanted)
  setTemplateChannels(channelCount)
  setDeviceIdBytesMax(deviceIdBytesMax)
  setAcceptedTimes(acceptedFromMs, acceptedBeforeMs)
  setNestingMax(nestingMax)
  lineBytesMax = lineBytesAtMost
}

/** Decodes lines from `start` until `end`, or until `rowsMax` rows are full. Returns the rows filled. */
export function decodeLines(start: usize, end: usize, mayAddDevices: bool): u32 {
  let line = start
  let row: usize = 0
  undecidedCount = 0
  while (line < end && row < <usize>rowsMax) {
    let device = deviceUndecided
    let timestampMs: f64 = NaN
    let next = matchTemplates(line, row)
    if (next == 0) {
      next = scanLine(line, row)
      if (next != 0) learnFromMiss(line, next)
    }
    if (next != 0) {
      timestampMs = timestampValue
      if (isShortEnough(line, next)) device = deviceOfLine(mayAddDevices)
    } else {
      next = findNewline(line) + 1
      if (isBlank(line) && isShortEnough(line, next)) {
        device = deviceOfBlankLine
        clearChannels(row)
      }
    }
    if (device == deviceUndecided) {
      store<u32>(undecidedRows + (<usize>undecidedCount << 2), <u32>row)
      undecidedCount++
    }
    const row4 = row << 2
    store<i32>(deviceColumn + row4, device)
    store<u32>(lineStartColumn + row4, <u32>line)
    store<u32>(lineEndColumn + row4, <u32>lineEnd(line, next))
    store<f64>(timestampColumn + (row << 3), timestampMs)
    line = next
    row++
  }
  decodedEnd = line
  return <u32>row
}

/** Rows that the last `decodeLines` left undecided. */
export function undecidedCountNow(): u32 {
  return undecidedCount
}

/** Where the next `decodeLines` has to start. */
export function decodedEndNow(): usize {
  return decodedEnd
}

/** Returns the index of the device of the line that was accepted. */
// @ts-ignore: decorator
@inline
function deviceOfLine(mayAdd: bool): i32 {
  return idLow != 0 ? shortIdIndex(idLow, idHigh, mayAdd) : deviceIndexOf(idStart, idLength, mayAdd)
}

/** Returns the end of the line's own bytes, given the address after its newline. */
// @ts-ignore: decorator
@inline
function lineEnd(line: usize, next: usize): usize {
  const end = next - 1
  return end - <usize>(end > line && byteAt(end - 1) == carriageReturn)
}

// @ts-ignore: decorator
@inline
function isShortEnough(line: usize, next: usize): bool {
  return lineEnd(line, next) - line <= <usize>lineBytesMax
}
