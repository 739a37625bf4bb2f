import type { DecodeExports } from './decode-exports.ts'
import type { LinearMemory } from './linear-memory.ts'

/** Bytes of one device in each region: its key, its follower, one slot. */
const keyBytes = 16
const followerBytes = 4
const slotBytes = 4

/** Room that the directory starts with, in devices. */
const initialCapacity = 4096

/** Room for long ids that the directory starts with, in bytes. */
const initialLongIdBytes = 65_536

/** A region of memory in use. */
interface Region {
  address: number
  byteLength: number
}

/**
 * The directory of device ids inside the kernel's memory: this side gives it room, `decode/device-directory.as.ts` does the rest.
 *
 * A place for a device takes 20 bytes and two to four slots of 4 bytes; an id of more than 15 bytes takes its length more. Places double,
 * and what is moved from stays reserved for others: at 1,000,000 devices that makes 50 bytes each, just past 1,048,576 it makes 95.
 *
 * Invariants
 * - R1: capacity <= devicesMax, so the kernel cannot go beyond it; indices are below `devicesMax`.
 * - R2: slots are a power of two, at least twice the capacity.
 */
export class DecodeDevices {
  private readonly kernel: DecodeExports
  private readonly memory: LinearMemory
  private readonly devicesMax: number
  private capacity = 0
  private keys: Region = { address: 0, byteLength: 0 }
  private followers: Region = { address: 0, byteLength: 0 }
  private slots: Region = { address: 0, byteLength: 0 }
  private longIds: Region = { address: 0, byteLength: 0 }

  constructor(kernel: DecodeExports, memory: LinearMemory, devicesMax: number) {
    this.kernel = kernel
    this.memory = memory
    this.devicesMax = devicesMax
    this.setCapacity(Math.min(devicesMax, initialCapacity))
    this.moveLongIds(0)
  }

  /** Devices in use. */
  get count(): number {
    return this.kernel.deviceCountNow()
  }

  /** How many more devices fit before `devicesMax`. */
  get spare(): number {
    return this.devicesMax - this.count
  }

  /**
   * Returns the index of an id of 1 to 256 bytes without NUL, adding it if it is new; -1 when `devicesMax` are in use.
   * May grow the memory.
   */
  indexOf(id: Uint8Array): number {
    const scratch = this.kernel.idScratch.value
    // The id may be a view of this very memory, which is empty once the memory has grown.
    const length = id.length
    new Uint8Array(this.memory.memory.buffer).set(id, scratch)
    const index = this.kernel.deviceIndexOf(scratch, length, true)
    if (index >= 0 || this.spare === 0) return index
    if (this.count === this.capacity) this.setCapacity(Math.min(this.devicesMax, this.capacity * 2))
    if (this.kernel.hasRoomForId(length) === 0) this.moveLongIds(length)
    return this.kernel.deviceIndexOf(scratch, length, true)
  }

  /** Returns the UTF-8 bytes of the id at an index, a view that holds until the next change; empty when the index is not in use. */
  id(index: number): Uint8Array {
    const length = this.kernel.deviceIdLength(index)
    if (length === 0) return new Uint8Array(0)
    return new Uint8Array(this.memory.memory.buffer, this.kernel.deviceIdAddress(index) >>> 0, length)
  }

  /** Takes an id out; its index is given to one that comes later. False when the index is not in use. */
  remove(index: number): boolean {
    return this.kernel.removeDevice(index) !== 0
  }

  private setCapacity(capacity: number): void {
    let slotCount = 1
    while (slotCount < capacity * 2) slotCount *= 2
    const keys = this.allocate(capacity * keyBytes)
    const followers = this.allocate(capacity * followerBytes)
    const slots = this.allocate(slotCount * slotBytes)
    new Uint8Array(this.memory.memory.buffer, slots.address, slots.byteLength).fill(0)
    this.kernel.moveDevices(keys.address, followers.address, capacity, slots.address, slotCount)
    this.release(this.keys, this.followers, this.slots)
    this.keys = keys
    this.followers = followers
    this.slots = slots
    this.capacity = capacity
  }

  /** Moves the long ids in use to where one more of `length` bytes fits, and as much again; forgotten ones stay behind. */
  private moveLongIds(length: number): void {
    const bytesInUse = this.kernel.longIdBytesInUse() + length
    const longIds = this.allocate(Math.max(initialLongIdBytes, bytesInUse * 2))
    this.kernel.moveLongIds(longIds.address, longIds.byteLength)
    this.release(this.longIds)
    this.longIds = longIds
  }

  private allocate(byteLength: number): Region {
    return { address: this.memory.allocate(byteLength), byteLength }
  }

  private release(...regions: readonly Region[]): void {
    for (const region of regions) this.memory.release(region.address, region.byteLength)
  }
}
