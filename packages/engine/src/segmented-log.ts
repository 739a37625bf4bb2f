import { assert, type Disk, type DiskFile, limits, type MillwrightError } from '@millwright/core'
import { diskError } from './errors.ts'
import { encodeFrame, markSyncedBefore } from './frame.ts'
import type { LogScan } from './log-scan.ts'
import { type LogPosition, segmentPath } from './segment-names.ts'

/**
 * The writing end of a log: segments of frames in one folder.
 *
 * S1. `synced` never passes what a successful sync of the file has covered, and never falls.
 * S2. A segment is begun only when the one before is on stable storage whole; its head and its name are on stable
 *     storage before anything else is written to it. So only the last segment can be torn.
 * S3. After any failed write or sync nothing more is written until `recover` has cut the file back to `synced` by a new
 *     handle and synced that. What a failed sync left behind is never believed: the system may call those pages clean.
 * S4. Frames are contiguous: each begins at the offset where the one before ended.
 */
export class SegmentedLog {
  readonly directory: string
  readonly #disk: Disk
  readonly #options: SegmentedLogOptions
  #segments: number[]
  #file: DiskFile
  #end: LogPosition
  #synced: LogPosition
  #lastAppendTimeMs: number
  #failure: MillwrightError | null = null

  /**
   * Takes the ownership of a scanned log: cuts a torn tail off, takes an unborn segment away, makes a first segment where
   * there is none, and syncs what is there, since the process that wrote it may have died before it did.
   *
   * @throws {DiskFullError | DiskFailedError}
   */
  constructor(disk: Disk, directory: string, scan: LogScan, options: SegmentedLogOptions) {
    this.directory = directory
    this.#disk = disk
    this.#options = options
    this.#segments = [...scan.segments]
    this.#lastAppendTimeMs = scan.lastAppendTimeMs
    try {
      if (scan.unbornSegment !== null) disk.unlink(segmentPath(directory, scan.unbornSegment))
      if (this.#segments.length === 0) {
        this.#end = { segment: 0, bytes: 0, offset: 0 }
        this.#synced = this.#end
        this.#file = this.#createSegment()
      } else {
        this.#end = scan.end
        this.#synced = scan.end
        this.#file = this.#reopen(scan.end, scan.tornBytes > 0)
      }
      disk.syncDirectory(directory)
    } catch (error) {
      throw diskError(error, 'open', directory)
    }
  }

  /** Where the next frame will go. */
  get end(): LogPosition {
    return this.#end
  }

  /** Everything before is on stable storage. */
  get synced(): LogPosition {
    return this.#synced
  }

  get lastAppendTimeMs(): number {
    return this.#lastAppendTimeMs
  }

  get unsyncedBytes(): number {
    return this.#end.bytes - this.#synced.bytes
  }

  /** Base offsets, ascending; the last is being written. */
  get segments(): readonly number[] {
    return this.#segments
  }

  /** Bytes of whole frames that the current segment still takes; more makes a new one. */
  get roomBytes(): number {
    return Math.max(0, this.#options.segmentBytesMax - this.#end.bytes)
  }

  /**
   * Writes encoded frames, not yet durable. Begins a new segment where they do not fit this one (syncing it first).
   *
   * @param frames Whole frames that follow the end (S4); the mark of F3 is set in the first one here.
   * @throws {DiskFullError | DiskFailedError} The log then takes nothing until `recover`.
   */
  append(frames: Buffer, recordCount: number, lastAppendTimeMs: number): void {
    assert(this.#failure === null, 'a log that failed must be recovered before it is written to')
    assert(frames.readUIntLE(8, 6) === this.#end.offset, 'frames must follow the end of the log (S4)')
    assert(lastAppendTimeMs >= this.#lastAppendTimeMs, 'append time never falls')
    this.#guard('write', () => {
      // A segment without a record is never rolled: the next one would have its name.
      if (this.#end.offset > this.#end.segment && frames.length > this.roomBytes) this.#roll()
      if (this.unsyncedBytes === 0) markSyncedBefore(frames, 0)
      this.#writeWhole(this.#file, frames, this.#end.bytes)
    })
    this.#lastAppendTimeMs = lastAppendTimeMs
    this.#end = {
      segment: this.#end.segment,
      bytes: this.#end.bytes + frames.length,
      offset: this.#end.offset + recordCount,
    }
  }

  /**
   * Resolves when everything written before the call is on stable storage; frames may be appended meanwhile.
   *
   * @throws {DiskFullError | DiskFailedError} The log then takes nothing until `recover`.
   */
  async sync(): Promise<void> {
    const reached = this.#end
    if (reached.bytes === this.#synced.bytes && reached.segment === this.#synced.segment) return
    try {
      await this.#file.syncAsync()
    } catch (error) {
      this.#failure ??= diskError(error, 'sync', this.#path())
      throw this.#failure
    }
    if (this.#failure !== null) throw this.#failure
    // A roll may have passed this place meanwhile; it synced more than we did (S1).
    this.#synced = later(reached, this.#synced)
  }

  /**
   * After a failure: cuts the file back to `synced` by a new handle and syncs that (S3). Frames behind it are gone.
   *
   * @throws {DiskFullError | DiskFailedError} When the disk still fails; to be tried again.
   */
  recover(): void {
    if (this.#failure === null) return
    this.#guard('recover', () => {
      this.#removeUnborn()
      this.#closeQuietly()
      this.#file = this.#reopen(this.#synced, true)
    })
    this.#end = this.#synced
    this.#failure = null
  }

  get failed(): boolean {
    return this.#failure !== null
  }

  /** Takes a segment out of the list, which must not be the last; the caller removes the file. */
  forgetOldest(): void {
    assert(this.#segments.length > 1, 'the segment that is written to is never retired')
    this.#segments.shift()
  }

  /** Gives the file back without a sync. */
  close(): void {
    this.#file.close()
  }

  #roll(): void {
    if (this.unsyncedBytes > 0) {
      this.#file.sync()
      this.#synced = this.#end
    }
    const old = this.#file
    this.#file = this.#createSegment()
    old.close()
  }

  /** Makes the segment that begins at the end of the log, durable with its head and its name (S2). */
  #createSegment(): DiskFile {
    const { offset } = this.#end
    const path = segmentPath(this.directory, offset)
    // A creation that failed half way may have left one; nothing in it was ever acknowledged.
    if (this.#disk.exists(path)) this.#disk.unlink(path)
    const file = this.#disk.open(path, 'create')
    try {
      const appendTimeMs = this.#lastAppendTimeMs
      const header = {
        kind: 'log-state',
        syncedBefore: true,
        baseOffset: offset,
        appendTimeMs,
        recordCount: 0,
      } as const
      const head = encodeFrame(header, new Uint8Array(0), this.#options.head())
      this.#writeWhole(file, head, 0)
      file.sync()
      this.#disk.syncDirectory(this.directory)
      this.#end = { segment: offset, bytes: head.length, offset }
    } catch (error) {
      file.close()
      throw error
    }
    this.#synced = this.#end
    this.#segments.push(offset)
    return file
  }

  /** A segment that could not be finished would stand behind the one that goes on being written: it must be gone first. */
  #removeUnborn(): void {
    const { segment, offset } = this.#synced
    const path = segmentPath(this.directory, offset)
    if (offset === segment || !this.#disk.exists(path)) return
    this.#disk.unlink(path)
    this.#disk.syncDirectory(this.directory)
  }

  #reopen(at: LogPosition, cut: boolean): DiskFile {
    const file = this.#disk.open(segmentPath(this.directory, at.segment), 'write')
    try {
      if (cut) file.truncate(at.bytes)
      file.sync()
    } catch (error) {
      file.close()
      throw error
    }
    return file
  }

  /** A full disk may take a part and say nothing: the count is what tells. */
  #writeWhole(file: DiskFile, bytes: Uint8Array, position: number): void {
    const written = file.write(bytes, position)
    if (written < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
  }

  #guard(what: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#failure = diskError(error, what, this.#path())
      throw this.#failure
    }
  }

  #closeQuietly(): void {
    try {
      this.#file.close()
    } catch {
      // The handle is given up because it failed; what matters is what the new one says.
    }
  }

  #path(): string {
    return segmentPath(this.directory, this.#end.segment)
  }
}

export interface SegmentedLogOptions {
  /** A segment that holds more than its head is not carried beyond this. */
  readonly segmentBytesMax: number
  /** Body of the head of a new segment: what a recovery must know of everything before it. */
  readonly head: () => Uint8Array
}

/** Default size of a segment. */
export const segmentBytesDefault = limits.segmentBytesMax

function later(a: LogPosition, b: LogPosition): LogPosition {
  return a.segment > b.segment || (a.segment === b.segment && a.bytes > b.bytes) ? a : b
}
