import { ring, ringCount, ringReadings } from '@millwright/kernels'
import type { DeviceTable } from './device-table.ts'

/**
 * The last accepted readings of a device, as 64-bit hashes of (timestamp, values). The short way remembers them in the fold.
 *
 * R1. Place i of the ring holds a hash if and only if i < min(count, 16), where count saturates: 0..15 while the ring fills, then 16..31
 *     over and over.
 * R2. A missing value hashes as one fixed pattern, whatever bits its NaN has: two decoders may differ in them.
 * R3. Only a reading at or before the device clock can be a redelivery, since an accepted reading moves the clock to itself
 *     or is behind it; so readings in order never look at the ring.
 */

/** Hash of a reading, two int32. */
export interface ReadingHash {
  readonly low: number
  readonly high: number
}

/** Puts a hash into the device's ring, in the place of the oldest. */
export function remember(table: DeviceTable, device: number, hash: ReadingHash): void {
  const count = table.int(device, ringCount)
  const place = ring + 2 * (count & (ringReadings - 1))
  table.setInt(device, place, hash.low)
  table.setInt(device, place + 1, hash.high)
  table.setInt(device, ringCount, count === 2 * ringReadings - 1 ? ringReadings : count + 1)
}

/** Whether a hash is among those of the device's last accepted readings. */
export function isRemembered(table: DeviceTable, device: number, hash: ReadingHash): boolean {
  const held = ringHeld(table, device)
  for (let i = 0; i < held; i++)
    if (table.int(device, ring + 2 * i) === hash.low && table.int(device, ring + 2 * i + 1) === hash.high) return true
  return false
}

/** How many hashes the device's ring holds, 0..16. */
export function ringHeld(table: DeviceTable, device: number): number {
  return Math.min(table.int(device, ringCount), ringReadings)
}
