import { limits } from '@millwright/core'
import { type DeviceTable, ring, ringCount } from './device-table.ts'

/**
 * The last accepted readings of a device, as 64-bit hashes of (timestamp, values).
 *
 * R1. Place i of the ring holds a hash if and only if i < min(count, 16), where count saturates as `ringCount` says.
 * R2. A missing value hashes as one fixed pattern, whatever bits its NaN has: two decoders may differ in them.
 * R3. Only a reading at or before the device clock can be a redelivery, since an accepted reading moves the clock to itself
 *     or is behind it; so readings in order never look at the ring.
 */

/** Bit views of a reading's timestamp and channels, two ints (low, high) to a value. */
export type ReadingBits = readonly Int32Array[]

const ringMask = limits.redeliveryReadings - 1

/** Hashes of readings, one a row: two lanes of 32 bits. */
export class ReadingHashes {
  readonly low: Int32Array
  readonly high: Int32Array

  constructor(rowsMax: number) {
    this.low = new Int32Array(rowsMax)
    this.high = new Int32Array(rowsMax)
  }

  /** Hashes the first `rowCount` rows. @param bits Not empty. */
  hash(bits: ReadingBits, rowCount: number): void {
    this.low.fill(0x2c1b3c6d, 0, rowCount)
    this.high.fill(0x297a2d39, 0, rowCount)
    // Columns by fours, the last four filled up with the first column: what is hashed twice does no harm.
    const at = (k: number): Int32Array => bits[k < bits.length ? k : 0] as Int32Array
    for (let k = 0; k < bits.length; k += 4)
      mixColumns(this.low, this.high, at(k), at(k + 1), at(k + 2), at(k + 3), rowCount)
  }
}

/**
 * Mixes four columns into the lanes. Four at once, since the lanes' own loads and stores would cost as much as the mixing.
 *
 * For an equal rest each step is a bijection of the state in the word it takes, so readings that differ in one value only
 * never collide. Source: the mixing step of MurmurHash3_x86_128 (Austin Appleby, public domain), with two lanes.
 */
function mixColumns(
  lowLane: Int32Array,
  highLane: Int32Array,
  first: Int32Array,
  second: Int32Array,
  third: Int32Array,
  fourth: Int32Array,
  rowCount: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    const at = 2 * row
    let a = lowLane[row] as number
    let b = highLane[row] as number
    let high = first[at + 1] as number
    a = mixLow(a, b, isMissing(high) ? 0 : (first[at] as number))
    b = mixHigh(b, a, isMissing(high) ? missingHigh : high)
    high = second[at + 1] as number
    a = mixLow(a, b, isMissing(high) ? 0 : (second[at] as number))
    b = mixHigh(b, a, isMissing(high) ? missingHigh : high)
    high = third[at + 1] as number
    a = mixLow(a, b, isMissing(high) ? 0 : (third[at] as number))
    b = mixHigh(b, a, isMissing(high) ? missingHigh : high)
    high = fourth[at + 1] as number
    a = mixLow(a, b, isMissing(high) ? 0 : (fourth[at] as number))
    b = mixHigh(b, a, isMissing(high) ? missingHigh : high)
    lowLane[row] = a
    highLane[row] = b
  }
}

/** High word that every missing value is hashed with (R2). */
const missingHigh = 0x7ff80000

/** Values are finite or NaN, so an exponent of all ones is a NaN. */
function isMissing(high: number): boolean {
  return (high & 0x7ff00000) === 0x7ff00000
}

function mixLow(a: number, b: number, word: number): number {
  const mixed = a ^ Math.imul(word, 0x239b961b)
  return (Math.imul((mixed << 19) | (mixed >>> 13), 5) + b) | 0
}

function mixHigh(b: number, a: number, word: number): number {
  const mixed = b ^ Math.imul(word, 0x38b34ae5)
  return (Math.imul((mixed << 15) | (mixed >>> 17), 5) + a) | 0
}

/** Puts a hash into the device's ring, in the place of the oldest. */
export function remember(table: DeviceTable, device: number, hashLow: number, hashHigh: number): void {
  const count = table.int(device, ringCount)
  const place = ring + 2 * (count & ringMask)
  table.setInt(device, place, hashLow)
  table.setInt(device, place + 1, hashHigh)
  table.setInt(device, ringCount, nextCount(count))
}

/** Like {@link remember}, for the rows `first` to `end` (not with), each of the device that its column names. */
export function rememberRows(
  table: DeviceTable,
  devices: Int32Array,
  hashes: ReadingHashes,
  first: number,
  end: number,
): void {
  const { ints } = table
  const intStride = 2 * table.stride
  const { low, high } = hashes
  // Copies, since an imported constant is loaded anew wherever a loop names it.
  const [countField, ringField, mask] = [ringCount, ring, ringMask]
  for (let row = first; row < end; row++) {
    const base = (devices[row] as number) * intStride
    const held = ints[base + countField] as number
    const place = base + ringField + 2 * (held & mask)
    ints[place] = low[row] as number
    ints[place + 1] = high[row] as number
    ints[base + countField] = nextCount(held)
  }
}

/** 0..15 while the ring fills, then 16..31 over and over: the lower four bits are the next place. */
function nextCount(count: number): number {
  return count === 31 ? 16 : count + 1
}

/** Whether a hash is among those of the device's last accepted readings. */
export function isRemembered(table: DeviceTable, device: number, hashLow: number, hashHigh: number): boolean {
  const held = ringHeld(table, device)
  for (let i = 0; i < held; i++)
    if (table.int(device, ring + 2 * i) === hashLow && table.int(device, ring + 2 * i + 1) === hashHigh) return true
  return false
}

/** How many hashes the device's ring holds, 0..16. */
export function ringHeld(table: DeviceTable, device: number): number {
  return Math.min(table.int(device, ringCount), ringMask + 1)
}
