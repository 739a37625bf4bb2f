/**
 * Templates: a line that was understood becomes a list of (literal bytes, kind of value), and the next line of the same shape is
 * compared with the literals and only its values are read. The shape is learnt from the data, so one kernel serves every
 * project, and a device that writes its keys in another order or with other white space costs one scan.
 *
 * Invariants
 * - T1: a template is made only from a line that `scanLine` accepted, so its literals are JSON and UTF-8, name each field
 *   at most once, and hold no newline but the last byte of the last one.
 * - T2: what a template accepts, `scanLine` accepts with the same values.
 * - T3: `templateOrder` lists `templateCount` different templates, the one that matched last first. (Speed hangs on it, no result.)
 *
 * A template in memory: count of absent channels (4 bytes), 12 unused, addresses of the absent channels' columns
 * (4 bytes each), then tokens. A token: literal length, blocks, kind, column address (4 bytes each), then for each block of
 * 16 bytes of the literal its bytes (zeros where the literal has ended) and a mask of the bytes that count.
 */
import { wordNull } from './bytes.as'
import { readDeviceId } from './device-id.as'
import {
  channelColumns,
  channelColumnStride,
  channelsMax,
  fieldDeviceId,
  fieldFirstChannel,
  fieldTimestamp,
  markBytes,
  marks,
  marksMax,
  prefixMask,
  templateBytes,
  templateOrder,
  templates,
  templatesMax,
} from './layout.as'
import { kindEnd, kindSkip, markCount, wasSeen } from './line-scanner.as'
import { numberValue, parseNumber } from './number.as'
import { parseTimestamp } from './timestamp.as'
import { skipValue } from './value.as'

/** With all templates in use, one line of so many that match none replaces the template unused for longest. */
const missesPerLearning: u32 = 8

const absentColumns: usize = 16
const tokensOffset: usize = absentColumns + <usize>channelsMax * 4
const tokenHeaderBytes: usize = 16
const tokenBlockBytes: usize = 32

let templateCount: u32 = 0
let missCount: u32 = 0
let channelCount: u32 = 0

export function setTemplateChannels(channels: u32): void {
  channelCount = channels
}

/** As `scanLine`, but undecided also wherever no template fits. */
// @ts-ignore: decorator
@inline
export function matchTemplates(line: usize, row: usize): usize {
  let next: usize = 0
  let position: u32 = 0
  while (next == 0 && position < templateCount) {
    next = matchTemplate(load<u32>(templateOrder + (<usize>position << 2)), line, row)
    position++
  }
  if (position > 1 && next != 0) moveToFront(position - 1)
  return next
}

function matchTemplate(template: usize, line: usize, row: usize): usize {
  let at = line
  let token = template + tokensOffset
  let anyChannel = false
  let more = true
  while (more) {
    if (differs(at, token + tokenHeaderBytes)) return 0
    const blockCount = load<u32>(token, 4)
    for (let block: u32 = 1; block < blockCount; block++)
      if (differs(at + (<usize>block << 4), token + tokenHeaderBytes + <usize>block * tokenBlockBytes)) return 0
    at += load<u32>(token)

    const kind = load<u32>(token, 8)
    if (kind - fieldFirstChannel < channelsMax) {
      const column = <usize>load<u32>(token, 12) + (row << 3)
      const end = parseNumber(at)
      if (end != 0) {
        store<f64>(column, numberValue)
        anyChannel = true
        at = end
      } else {
        if (load<u32>(at) != wordNull) return 0
        store<f64>(column, NaN)
        at += 4
      }
    } else if (kind == fieldTimestamp) {
      at = parseTimestamp(at)
      if (at == 0) return 0
    } else if (kind == fieldDeviceId) {
      at = readDeviceId(at)
      if (at == 0) return 0
    } else if (kind == kindSkip) {
      at = skipValue(at)
      if (at == 0) return 0
    } else {
      more = false
    }
    token += tokenHeaderBytes + <usize>blockCount * tokenBlockBytes
  }
  if (!anyChannel) return 0
  const absentCount = load<u32>(template)
  for (let i: u32 = 0; i < absentCount; i++)
    store<f64>(<usize>load<u32>(template + absentColumns + (<usize>i << 2)) + (row << 3), NaN)
  return at
}

/** Whether the bytes at `at` differ from a block of a literal where its mask has ones. */
// @ts-ignore: decorator
@inline
function differs(at: usize, block: usize): bool {
  return v128.any_true(v128.and(v128.xor(v128.load(at), v128.load(block)), v128.load(block, 16)))
}

/** Counts a line that no template matched and `scanLine` then accepted; makes a template of it where that is due. */
export function learnFromMiss(line: usize, next: usize): void {
  missCount++
  if (templateCount == templatesMax && missCount < missesPerLearning) return
  missCount = 0
  if (templateCount < templatesMax) {
    store<u32>(templateOrder + (<usize>templateCount << 2), <u32>(templates + <usize>templateCount * templateBytes))
    templateCount++
  }
  moveToFront(templateCount - 1)
  const template = <usize>load<u32>(templateOrder)
  if (!writeTemplate(template, line, next)) writeNeverMatching(template)
}

/** Writes the line scanned last as a template; false when it does not fit. */
function writeTemplate(template: usize, line: usize, next: usize): bool {
  if (markCount > marksMax) return false
  let absentCount: u32 = 0
  for (let channel: u32 = 0; channel < channelCount; channel++) {
    if (!wasSeen(fieldFirstChannel + channel)) {
      store<u32>(template + absentColumns + (<usize>absentCount << 2), columnOf(channel))
      absentCount++
    }
  }
  store<u32>(template, absentCount)

  let token = template + tokensOffset
  let literal = line
  for (let i: u32 = 0; i <= markCount; i++) {
    const entry = marks + <usize>i * markBytes
    const kind = i < markCount ? load<u32>(entry) : kindEnd
    const literalEnd = i < markCount ? <usize>load<u32>(entry, 4) : next
    const length = <u32>(literalEnd - literal)
    const blockCount = (length + 15) >> 4
    const tokenEnd = token + tokenHeaderBytes + <usize>blockCount * tokenBlockBytes
    if (tokenEnd > template + templateBytes) return false
    store<u32>(token, length)
    store<u32>(token, blockCount, 4)
    store<u32>(token, kind, 8)
    store<u32>(token, kind - fieldFirstChannel < channelsMax ? columnOf(kind - fieldFirstChannel) : 0, 12)
    for (let block: u32 = 0; block < blockCount; block++) {
      const target = token + tokenHeaderBytes + <usize>block * tokenBlockBytes
      const mask = v128.load(prefixMask + 16 - <usize>min<u32>(16, length - block * 16))
      v128.store(target, v128.and(v128.load(literal + (<usize>block << 4)), mask))
      v128.store(target, mask, 16)
    }
    token = tokenEnd
    literal = i < markCount ? <usize>load<u32>(entry, 8) : next
  }
  return true
}

/** A literal that is one newline at the start of a line that is not blank. */
function writeNeverMatching(template: usize): void {
  const token = template + tokensOffset
  store<u32>(token, 1)
  store<u32>(token, 1, 4)
  store<u32>(token, kindEnd, 8)
  v128.store(token + tokenHeaderBytes, i8x16.splat(0x0a))
  v128.store(token + tokenHeaderBytes, v128.load(prefixMask + 15), 16)
}

function columnOf(channel: u32): u32 {
  return <u32>(channelColumns + <usize>channel * channelColumnStride)
}

/** Moves the template at a position of `templateOrder` to its front. */
function moveToFront(position: u32): void {
  const template = load<u32>(templateOrder + (<usize>position << 2))
  for (let i = position; i > 0; i--)
    store<u32>(templateOrder + (<usize>i << 2), load<u32>(templateOrder + (<usize>(i - 1) << 2)))
  store<u32>(templateOrder, template)
}
