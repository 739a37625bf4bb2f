import type { DiskFile } from '@millwright/core'

/** Disks write sectors whole or not at all. */
export const sectorBytes = 512

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number }

/**
 * The contents of one file of a {@link MemoryDisk}, twice: what reads see (the page cache), and what a power cut leaves.
 *
 * N1. `durable` changes only by a sync, by exactly the changes since the one before, in order.
 * N2. After a failed sync the changes it should have covered are never made durable by a later one, though reads still
 *     see them: so do kernels that mark the pages clean.
 */
export class MemoryFileContent {
  #cache: Bytes
  #durable: Bytes
  #unsynced: Change[] = []

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#cache = new Bytes(bytes)
    this.#durable = new Bytes(bytes)
  }

  get length(): number {
    return this.#cache.length
  }

  /** What reads see; a copy. */
  bytes(): Uint8Array {
    return this.#cache.copy()
  }

  read(into: Uint8Array, position: number): number {
    return this.#cache.read(into, position)
  }

  write(bytes: Uint8Array, position: number): void {
    // Not `slice`: that of a Buffer shares its memory, which the caller uses again.
    this.#apply({ kind: 'write', position, bytes: new Uint8Array(bytes) })
  }

  truncate(length: number): void {
    this.#apply({ kind: 'truncate', length })
  }

  sync(): void {
    for (const change of this.#unsynced) this.#durable.apply(change)
    this.#unsynced = []
  }

  /** A sync that failed (N2). */
  failSync(): void {
    this.#unsynced = []
  }

  /**
   * What a power cut leaves: the durable bytes and, sector by sector, some of what was written since. `chance` decides
   * for each, and is asked once for a probability that holds for the whole file.
   */
  afterPowerCut(chance: () => number): MemoryFileContent {
    const left = new Bytes(this.#durable.copy())
    const probability = [0, 0.3, 0.7, 1][Math.floor(chance() * 4)] ?? 1
    for (const change of this.#unsynced) {
      if (change.kind === 'truncate') {
        if (chance() < probability) left.apply(change)
        continue
      }
      for (let at = 0; at < change.bytes.length; ) {
        // Sectors lie where the file says, not where the write began.
        const end = Math.min(change.bytes.length, at + sectorBytes - ((change.position + at) % sectorBytes))
        const part = change.bytes.subarray(at, end)
        if (chance() < probability) left.apply({ kind: 'write', position: change.position + at, bytes: part })
        at = end
      }
    }
    return new MemoryFileContent(left.copy())
  }

  #apply(change: Change): void {
    this.#cache.apply(change)
    this.#unsynced.push(change)
  }
}

/** An open handle. */
export class MemoryFile implements DiskFile {
  readonly #content: MemoryFileContent
  #open = true

  constructor(content: MemoryFileContent) {
    this.#content = content
  }

  read(into: Uint8Array, position: number): number {
    return this.#required().read(into, position)
  }

  write(from: Uint8Array, position: number): number {
    this.#required().write(from, position)
    return from.length
  }

  truncate(length: number): void {
    this.#required().truncate(length)
  }

  size(): number {
    return this.#required().length
  }

  sync(): void {
    this.#required().sync()
  }

  async syncAsync(): Promise<void> {
    // What is written between the call and its end is not covered, as on a real disk it need not be.
    this.#required().sync()
  }

  /** See {@link MemoryFileContent.failSync}. */
  failSync(): void {
    this.#required().failSync()
  }

  close(): void {
    this.#open = false
  }

  #required(): MemoryFileContent {
    if (!this.#open) throw Object.assign(new Error('the file is closed'), { code: 'EBADF' })
    return this.#content
  }
}

/** Bytes that grow; a gap that is written over reads as zeros. */
class Bytes {
  #memory: Uint8Array
  #length: number

  constructor(bytes: Uint8Array) {
    this.#memory = new Uint8Array(bytes)
    this.#length = bytes.length
  }

  get length(): number {
    return this.#length
  }

  copy(): Uint8Array {
    return this.#memory.slice(0, this.#length)
  }

  read(into: Uint8Array, position: number): number {
    const part = this.#memory.subarray(Math.min(position, this.#length), Math.min(position + into.length, this.#length))
    into.set(part)
    return part.length
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') this.#resize(change.length)
    else {
      if (change.position + change.bytes.length > this.#length) this.#resize(change.position + change.bytes.length)
      this.#memory.set(change.bytes, change.position)
    }
  }

  #resize(length: number): void {
    if (length > this.#memory.length) {
      const next = new Uint8Array(Math.max(length, 2 * this.#memory.length))
      next.set(this.#memory.subarray(0, this.#length))
      this.#memory = next
    }
    if (length < this.#length) this.#memory.fill(0, length, this.#length)
    this.#length = length
  }
}
