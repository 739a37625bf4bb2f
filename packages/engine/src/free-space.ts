import type { Disk } from '@millwright/core'
import { DiskFullError } from './errors.ts'

/** How often the disk is asked, at most, milliseconds. */
const checkEveryMs = 1000

/**
 * Refuses at the door while the disk is nearly full, so that what was accepted can still be processed, and its outputs
 * and snapshots written.
 */
export class FreeSpace {
  readonly #disk: Disk
  readonly #directory: string
  readonly #reserveBytes: number
  readonly #elapsedMs: () => number
  #freeBytes = Number.POSITIVE_INFINITY
  #checkAgainAtMs = Number.NEGATIVE_INFINITY
  #admittedBytes = 0

  constructor(disk: Disk, directory: string, reserveBytes: number, elapsedMs: () => number) {
    this.#disk = disk
    this.#directory = directory
    this.#reserveBytes = reserveBytes
    this.#elapsedMs = elapsedMs
  }

  /** As last asked, bytes. */
  get freeBytes(): number {
    this.#look()
    return this.#freeBytes
  }

  get isFull(): boolean {
    return this.freeBytes < this.#reserveBytes
  }

  /** @throws {DiskFullError} While less than the reserve is free. */
  admit(byteLength: number): void {
    this.#admittedBytes += byteLength
    if (!this.isFull) return
    throw new DiskFullError(
      `Cannot append as ${this.#reserveBytes} bytes must be free on the disk of "${this.#directory}": ${this.#freeBytes} are. ` +
        'Free some space, or lower the retention or the disk budget of the plant',
      { details: { directory: this.#directory, freeBytes: this.#freeBytes, reserveBytes: this.#reserveBytes } },
    )
  }

  /** Asks the disk again next time: something was written that failed, or removed. */
  forget(): void {
    this.#checkAgainAtMs = Number.NEGATIVE_INFINITY
  }

  #look(): void {
    const now = this.#elapsedMs()
    // Between two looks at most an eighth of the reserve may go by.
    if (now < this.#checkAgainAtMs && this.#admittedBytes < this.#reserveBytes / 8) return
    this.#checkAgainAtMs = now + checkEveryMs
    this.#admittedBytes = 0
    this.#freeBytes = this.#disk.freeBytes(this.#directory)
  }
}
