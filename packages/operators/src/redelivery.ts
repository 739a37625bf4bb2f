import { limits } from '@millwright/core'
import { type DeviceTable, ring, ringCount } from './device-table.ts'
import { slabBits, slabMask } from './slabs.ts'

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

  /**
   * Hashes the first `rowCount` rows, a column at a time: the steps of one row wait for each other, those of many rows do not.
   *
   * For an equal rest each step is a bijection of the state in the word it takes, so readings that differ in one value only
   * never collide. Source: the mixing step of MurmurHash3_x86_128 (Austin Appleby, public domain), with two lanes.
   */
  hash(bits: ReadingBits, rowCount: number): void {
    this.low.fill(0x2c1b3c6d, 0, rowCount)
    this.high.fill(0x297a2d39, 0, rowCount)
    for (const column of bits) mixColumn(this.low, this.high, column, rowCount)
  }
}

function mixColumn(lowLane: Int32Array, highLane: Int32Array, column: Int32Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    let low = column[2 * row] as number
    let high = column[2 * row + 1] as number
    if ((high & 0x7ff00000) === 0x7ff00000) {
      low = 0
      high = 0x7ff80000
    }
    let a = (lowLane[row] as number) ^ Math.imul(low, 0x239b961b)
    let b = highLane[row] as number
    a = (a << 19) | (a >>> 13)
    a = (Math.imul(a, 5) + b) | 0
    b ^= Math.imul(high, 0x38b34ae5)
    b = (b << 15) | (b >>> 17)
    lowLane[row] = a
    highLane[row] = (Math.imul(b, 5) + a) | 0
  }
}

/** Puts a hash into the device's ring, in the place of the oldest. */
export function remember(table: DeviceTable, device: number, hashLow: number, hashHigh: number): void {
  const ints = table.ints[device >> slabBits] as Int32Array
  rememberAt(ints, (device & slabMask) * table.stride * 2, hashLow, hashHigh)
}

/** Like {@link remember}, for a device whose ints are at hand. */
export function rememberAt(ints: Int32Array, base: number, hashLow: number, hashHigh: number): void {
  const count = ints[base + ringCount] as number
  const place = base + ring + 2 * (count & ringMask)
  ints[place] = hashLow
  ints[place + 1] = hashHigh
  ints[base + ringCount] = count === 2 * ringMask + 1 ? ringMask + 1 : count + 1
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
