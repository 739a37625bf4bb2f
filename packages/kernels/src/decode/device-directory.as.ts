/**
 * The directory of device ids: id → dense index, index → id.
 *
 * Invariants
 * - D1: an index below `indexEnd` is either in use (its key is an id) or free (its key's low half is 0, its high half is the next
 *   free index plus one); no id has a low half of 0. Exactly `deviceCount` are in use.
 * - D2: an id of up to 15 bytes is its own key, padded with zeros (no id holds a NUL). A longer one's key is its hash and
 *   (address in `longIds`, length, mark); the mark is in byte 15, which is 0 in every short id.
 * - D3: `slots` is an open-addressing table with linear probing of indices plus one, 0 = empty; from an id's home slot to its slot
 *   no slot is empty; at least half of all slots are empty.
 * - D4: `followers[i]` is only a guess at the device whose reading comes after one of device i; it is below `indexEnd`, or 0.
 * - D5: nothing here allocates. Where there is no room an id is not found, and the loader makes room before it asks again.
 */
import { byteAt } from './bytes.as'
import { deviceUndecided } from './layout.as'

/** Ids of more bytes are kept in `longIds`. */
export const shortIdBytesMax: u32 = 15

const keyBytes: usize = 16
const longIdMark: u64 = 0xff << 56

let keys: usize = 0
let followers: usize = 0
let indexCapacity: u32 = 0
let slots: usize = 0
let slotMask: u32 = 0
let longIds: usize = 0
let longIdsCapacity: u32 = 0
let longIdsUsed: u32 = 0

let indexEnd: u32 = 0
/** The first free index plus one; 0 for none. */
let firstFree: u64 = 0
let deviceCount: u32 = 0
/** Index of the device whose reading came last. */
let previous: u32 = 0

export function deviceCountNow(): u32 {
  return deviceCount
}

/** Whether the bytes of one more id of this length have a place. */
export function hasRoomForId(length: u32): bool {
  return length <= shortIdBytesMax || longIdsUsed + length <= longIdsCapacity
}

/** Bytes of the long ids of all devices in use. */
export function longIdBytesInUse(): u32 {
  let bytes: u32 = 0
  for (let index: u32 = 0; index < indexEnd; index++) if (isLong(index)) bytes += longIdLength(index)
  return bytes
}

/**
 * Moves the directory to larger regions. The new ones hold `capacity` keys (16 bytes each), `capacity` followers (4 bytes each)
 * and `slotCount` slots (4 bytes each, a power of two, at least twice `capacity`, all zero).
 */
export function moveDevices(newKeys: usize, newFollowers: usize, capacity: u32, newSlots: usize, slotCount: u32): void {
  memory.copy(newKeys, keys, <usize>indexEnd * keyBytes)
  memory.copy(newFollowers, followers, <usize>indexEnd << 2)
  if (indexEnd == 0) {
    // The first guess (D4) looks at index 0, which must not hold what the memory held before.
    store<u64>(newKeys, 0)
    store<u32>(newFollowers, 0)
  }
  keys = newKeys
  followers = newFollowers
  indexCapacity = capacity
  slots = newSlots
  slotMask = slotCount - 1
  for (let index: u32 = 0; index < indexEnd; index++) {
    if (keyLow(index) != 0) store<u32>(slotAddress(emptySlot(homeOf(index))), index + 1)
  }
}

/** Moves the long ids of devices in use to another region; those of forgotten devices stay behind. */
export function moveLongIds(newLongIds: usize, capacity: u32): void {
  let used: u32 = 0
  for (let index: u32 = 0; index < indexEnd; index++) {
    if (isLong(index)) {
      const length = longIdLength(index)
      memory.copy(newLongIds + used, longIds + longIdOffset(index), length)
      storeKeyHigh(index, longKeyHigh(used, length))
      used += length
    }
  }
  longIds = newLongIds
  longIdsCapacity = capacity
  longIdsUsed = used
}

/** Returns the index of the id, adding it where `mayAdd` holds and there is room; else `deviceUndecided`. */
export function deviceIndexOf(id: usize, length: u32, mayAdd: bool): i32 {
  if (length > shortIdBytesMax) return longIdIndex(id, length, mayAdd)
  let low: u64 = 0
  let high: u64 = 0
  for (let i: u32 = 0; i < length; i++) {
    const byte = <u64>byteAt(id + i)
    if (i < 8) low |= byte << (8 * i)
    else high |= byte << (8 * i - 64)
  }
  return shortIdIndex(low, high, mayAdd)
}

/** As `deviceIndexOf`, for an id of 1 to 15 bytes in two words, padded with zeros. */
// @ts-ignore: decorator
@inline
export function shortIdIndex(low: u64, high: u64, mayAdd: bool): i32 {
  // Readings tend to come in the same order of devices time after time: try the one that followed last time.
  const guess = follower()
  if (keyLow(guess) == low && keyHigh(guess) == high) {
    previous = guess
    return guess
  }
  return findShortId(low, high, mayAdd)
}

function findShortId(low: u64, high: u64, mayAdd: bool): i32 {
  let slot = shortIdHome(low, high)
  let entry = load<u32>(slotAddress(slot))
  while (entry != 0) {
    if (keyLow(entry - 1) == low && keyHigh(entry - 1) == high) return follow(entry - 1)
    slot = (slot + 1) & slotMask
    entry = load<u32>(slotAddress(slot))
  }
  return mayAdd && hasIndex() ? follow(addKey(slot, low, high)) : deviceUndecided
}

/** As `deviceIndexOf`, for an id of 16 bytes or more. */
export function longIdIndex(id: usize, length: u32, mayAdd: bool): i32 {
  const guess = follower()
  if (isLong(guess) && longIdLength(guess) == length && sameBytes(longIds + longIdOffset(guess), id, length)) {
    previous = guess
    return guess
  }
  const hash = hashLongId(id, length)
  let slot = longIdHome(hash)
  let entry = load<u32>(slotAddress(slot))
  while (entry != 0) {
    const index = entry - 1
    if (
      keyLow(index) == hash &&
      isLong(index) &&
      longIdLength(index) == length &&
      sameBytes(longIds + longIdOffset(index), id, length)
    )
      return follow(index)
    slot = (slot + 1) & slotMask
    entry = load<u32>(slotAddress(slot))
  }
  if (!mayAdd || !hasIndex() || !hasRoomForId(length)) return deviceUndecided
  memory.copy(longIds + longIdsUsed, id, length)
  const high = longKeyHigh(longIdsUsed, length)
  longIdsUsed += length
  return follow(addKey(slot, hash, high))
}

/** Takes an id out; its index is given to one that comes later. False when the index is not in use. */
export function removeDevice(index: u32): bool {
  if (index >= indexEnd || keyLow(index) == 0) return false
  let hole = homeOf(index)
  while (load<u32>(slotAddress(hole)) != index + 1) hole = (hole + 1) & slotMask
  // Close the gap (D3): move back each later entry of the run that may stand in the hole.
  let slot = (hole + 1) & slotMask
  let entry = load<u32>(slotAddress(slot))
  while (entry != 0) {
    const home = homeOf(entry - 1)
    if (((slot - home) & slotMask) >= ((slot - hole) & slotMask)) {
      store<u32>(slotAddress(hole), entry)
      hole = slot
    }
    slot = (slot + 1) & slotMask
    entry = load<u32>(slotAddress(slot))
  }
  store<u32>(slotAddress(hole), 0)
  store<u64>(keyAddress(index), 0)
  storeKeyHigh(index, firstFree)
  firstFree = <u64>index + 1
  deviceCount--
  return true
}

/** Length in bytes of the id at an index; 0 when the index is not in use. */
export function deviceIdLength(index: u32): u32 {
  if (index >= indexEnd || keyLow(index) == 0) return 0
  if (isLong(index)) return longIdLength(index)
  const high = keyHigh(index)
  const zeroBits = high == 0 ? 64 + clz(keyLow(index)) : clz(high)
  return 16 - (<u32>zeroBits >> 3)
}

/** Address of the bytes of the id at an index that is in use. */
export function deviceIdAddress(index: u32): usize {
  return isLong(index) ? longIds + longIdOffset(index) : keyAddress(index)
}

// @ts-ignore: decorator
@inline
function keyAddress(index: u32): usize {
  return keys + <usize>index * keyBytes
}

// @ts-ignore: decorator
@inline
function keyLow(index: u32): u64 {
  return load<u64>(keyAddress(index))
}

// @ts-ignore: decorator
@inline
function keyHigh(index: u32): u64 {
  return load<u64>(keyAddress(index), 8)
}

// @ts-ignore: decorator
@inline
function storeKeyHigh(index: u32, high: u64): void {
  store<u64>(keyAddress(index), high, 8)
}

// @ts-ignore: decorator
@inline
function slotAddress(slot: u32): usize {
  return slots + (<usize>slot << 2)
}

// @ts-ignore: decorator
@inline
function follower(): u32 {
  return load<u32>(followers + (<usize>previous << 2))
}

/** Remembers that a reading of `index` came after one of `previous`. */
// @ts-ignore: decorator
@inline
function follow(index: u32): i32 {
  store<u32>(followers + (<usize>previous << 2), index)
  previous = index
  return index
}

function isLong(index: u32): bool {
  return keyLow(index) != 0 && keyHigh(index) >= longIdMark
}

function longKeyHigh(offset: u32, length: u32): u64 {
  return longIdMark | (<u64>length << 32) | <u64>offset
}

function longIdOffset(index: u32): usize {
  return <usize>keyHigh(index)
}

function longIdLength(index: u32): u32 {
  return <u32>(keyHigh(index) >> 32) & 0xffff
}

function hasIndex(): bool {
  return firstFree != 0 || indexEnd < indexCapacity
}

/** Gives the key the next index and writes that into the empty slot. The caller has seen that there is one. */
function addKey(slot: u32, low: u64, high: u64): u32 {
  let index = indexEnd
  if (firstFree != 0) {
    index = <u32>(firstFree - 1)
    firstFree = keyHigh(index)
  } else {
    indexEnd++
    store<u32>(followers + (<usize>index << 2), 0)
  }
  store<u64>(keyAddress(index), low)
  storeKeyHigh(index, high)
  store<u32>(slotAddress(slot), index + 1)
  deviceCount++
  return index
}

function emptySlot(home: u32): u32 {
  let slot = home
  while (load<u32>(slotAddress(slot)) != 0) slot = (slot + 1) & slotMask
  return slot
}

function homeOf(index: u32): u32 {
  return isLong(index) ? longIdHome(keyLow(index)) : shortIdHome(keyLow(index), keyHigh(index))
}

// Odd multipliers with well-mixed bits (the golden ratio, and one of the finaliser of SplitMix64).
const multiplierA: u64 = 0x9e3779b97f4a7c15
const multiplierB: u64 = 0xbf58476d1ce4e5b9

function shortIdHome(low: u64, high: u64): u32 {
  return longIdHome(low ^ (high * multiplierA))
}

function longIdHome(hash: u64): u32 {
  const mixed = hash * multiplierB
  return <u32>((mixed ^ (mixed >> 29)) >> 24) & slotMask
}

/** A hash over 16 bytes at a time, the last ones overlapping those before; never 0 (D1). `length` is 16 or more. */
function hashLongId(id: usize, length: u32): u64 {
  const last = id + length - 16
  let hash: u64 = length
  let at = id
  while (at < last) {
    hash = mixBlock(hash, at)
    at += 16
  }
  hash = mixBlock(hash, last)
  return hash == 0 ? 1 : hash
}

function mixBlock(hash: u64, at: usize): u64 {
  const mixed = (hash ^ load<u64>(at)) * multiplierA + (load<u64>(at, 8) ^ (hash >> 32)) * multiplierB
  return mixed ^ (mixed >> 31)
}

/** `length` is 16 or more. */
function sameBytes(a: usize, b: usize, length: u32): bool {
  const last = length - 16
  let offset: u32 = 0
  while (offset < last) {
    if (v128.any_true(v128.xor(v128.load(a + offset), v128.load(b + offset)))) return false
    offset += 16
  }
  return !v128.any_true(v128.xor(v128.load(a + last), v128.load(b + last)))
}
