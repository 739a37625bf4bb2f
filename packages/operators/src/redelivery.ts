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

/** The hash of the last call of {@link hashReading}: two numbers without an allocation. */
export let hashLow = 0
export let hashHigh = 0

/**
 * Hashes row `row`: two lanes of 32 bits that feed each other. For equal rest, each step is a bijection of the state in
 * the word it takes, so readings that differ in one value only never collide.
 * Source: the mixing step of MurmurHash3_x86_128 (Austin Appleby, public domain), with two lanes.
 */
export function hashReading(bits: ReadingBits, row: number): void {
  let a = 0x2c1b3c6d
  let b = 0x297a2d39
  for (let k = 0; k < bits.length; k++) {
    const column = bits[k] as Int32Array
    let low = column[2 * row] as number
    let high = column[2 * row + 1] as number
    if ((high & 0x7ff00000) === 0x7ff00000) {
      low = 0
      high = 0x7ff80000
    }
    a ^= Math.imul(low, 0x239b961b)
    a = (a << 19) | (a >>> 13)
    a = (Math.imul(a, 5) + b) | 0
    b ^= Math.imul(high, 0x38b34ae5)
    b = (b << 15) | (b >>> 17)
    b = (Math.imul(b, 5) + a) | 0
  }
  hashLow = a
  hashHigh = b
}

/** Puts the last hash into the device's ring, in the place of the oldest. */
export function remember(table: DeviceTable, device: number): void {
  const ints = table.ints[device >> slabBits] as Int32Array
  const base = (device & slabMask) * table.stride * 2
  rememberAt(ints, base)
}

/** Like {@link remember}, for a device whose ints are at hand. */
export function rememberAt(ints: Int32Array, base: number): void {
  const count = ints[base + ringCount] as number
  const place = base + ring + 2 * (count & ringMask)
  ints[place] = hashLow
  ints[place + 1] = hashHigh
  ints[base + ringCount] = count === 2 * ringMask + 1 ? ringMask + 1 : count + 1
}

/** Whether the last hash is among the device's last accepted readings. */
export function isRemembered(table: DeviceTable, device: number): boolean {
  const held = ringHeld(table, device)
  for (let i = 0; i < held; i++) {
    if (table.int(device, ring + 2 * i) === hashLow && table.int(device, ring + 2 * i + 1) === hashHigh) return true
  }
  return false
}

/** How many hashes the device's ring holds, 0..16. */
export function ringHeld(table: DeviceTable, device: number): number {
  return Math.min(table.int(device, ringCount), ringMask + 1)
}
