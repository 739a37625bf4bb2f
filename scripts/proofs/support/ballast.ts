import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** What another program keeps on the same disk. */
export class Ballast {
  readonly #path: string
  readonly #disk: string

  constructor(disk: string) {
    this.#disk = disk
    this.#path = join(disk, 'ballast')
  }

  /** Takes all there is at once, so that writes which are under way find none. */
  fillAtOnce(): void {
    const { bavail, bsize } = statfsSync(this.#disk)
    // Bytes are reserved without being written; where that is not possible, filling takes longer.
    if (bavail > 0) spawnSync('fallocate', ['-l', String(bavail * bsize), this.#path])
    this.fill(Number.POSITIVE_INFINITY)
  }

  /** Writes so many bytes more, or until the disk has none left. */
  fill(byteLength: number): void {
    const file = openSync(this.#path, 'a')
    try {
      let left = byteLength
      for (let size = 1 << 20; size >= 1; ) {
        if (left <= 0) return
        try {
          left -= writeSync(file, Buffer.alloc(Math.min(size, left)))
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
          // What is left is less than that: take it in smaller pieces.
          size >>= 1
        }
      }
    } finally {
      closeSync(file)
    }
  }

  drop(): void {
    rmSync(this.#path)
  }
}
