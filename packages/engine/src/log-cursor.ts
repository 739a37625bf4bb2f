import type { Disk, DiskFile } from '@millwright/core'
import type { LogCorruptError } from './errors.ts'
import { fault } from './frame.ts'
import { type Frame, FrameReader } from './frame-reader.ts'
import { corrupt, placeFault } from './log-scan.ts'
import { type LogPosition, listSegments, segmentPath } from './segment-names.ts'

/**
 * Reads a log frame by frame across its segments, while it is being written.
 *
 * With a limit (the owner's own threads) everything up to it must be whole. Without one (anybody else) it stops where
 * there is no whole frame yet, and can be asked again.
 */
export class LogCursor {
  readonly #disk: Disk
  readonly #directory: string
  #position: LogPosition
  #file: DiskFile | null = null
  #reader: FrameReader | null = null
  #lastAppendTimeMs = 0

  constructor(disk: Disk, directory: string, start: LogPosition) {
    this.#disk = disk
    this.#directory = directory
    this.#position = start
  }

  /** Before the next frame. */
  get position(): LogPosition {
    return this.#position
  }

  /**
   * Returns the next frame; `null` when the limit, or the end of what is there, is reached. Its views hold until the next call.
   *
   * @param limit A position in this log before which everything is durable; `null` to read what is there.
   * @throws {LogCorruptError} When a frame that must be whole is not, or does not follow the one before.
   */
  next(limit: LogPosition | null): Frame | null {
    let again = false
    for (;;) {
      const reader = this.#open()
      if (reader === null) {
        if (this.#skipRetired()) continue
        // What is durable was there: somebody took the file away. Without a word here its reader would ask for ever.
        if (limit !== null && limit.offset > this.#position.offset) throw this.#missing()
        return null
      }
      const inLast = limit !== null && limit.segment === this.#position.segment
      const frame = reader.next(inLast ? limit.bytes : this.#size())
      if (frame === null) {
        if (inLast || !this.#advance(limit)) return null
        continue
      }
      const wrong = 'fault' in frame ? frame : placeFault(frame, this.#position.offset, this.#lastAppendTimeMs)
      if (wrong !== null || 'fault' in frame) {
        if (limit === null) {
          // The tail of the last segment is being written, or torn.
          if (!this.#hasLaterSegment()) return null
          // It was the tail when it was read; by now it may be whole, and the next segment begun.
          if (!again) {
            again = true
            continue
          }
        }
        throw corrupt(this.#directory, this.#position.segment, this.#position.bytes, wrong ?? frameless)
      }
      this.#lastAppendTimeMs = frame.header.appendTimeMs
      this.#position = {
        segment: this.#position.segment,
        bytes: frame.endBytes,
        offset: this.#position.offset + frame.header.recordCount,
      }
      return frame
    }
  }

  close(): void {
    this.#file?.close()
    this.#file = null
    this.#reader = null
  }

  #open(): FrameReader | null {
    if (this.#reader !== null) return this.#reader
    const path = segmentPath(this.#directory, this.#position.segment)
    if (!this.#disk.exists(path)) return null
    this.#file = this.#disk.open(path, 'read')
    this.#reader = new FrameReader(this.#file, this.#position.bytes)
    return this.#reader
  }

  #size(): number {
    return this.#file?.size() ?? 0
  }

  /** Goes to the segment that begins where this one ended; false when this is the last. */
  #advance(limit: LogPosition | null): boolean {
    const { segment, offset } = this.#position
    if (!this.#hasNextSegment()) {
      if (limit === null && !this.#hasLaterSegment()) return false
      // It may have been made between the two looks, or retention may have removed this one and those after it.
      if (limit === null && (this.#hasNextSegment() || !this.#disk.exists(segmentPath(this.#directory, segment))))
        return this.#hasNextSegment()
      throw this.#missing()
    }
    // The segment may have grown before the next one was begun: only now its length is final.
    if (this.#size() > this.#position.bytes) return true
    this.close()
    this.#position = { segment: offset, bytes: 0, offset }
    return true
  }

  /**
   * A snapshot may stand where a segment ends, and that segment was then needed no more: goes on with the one that begins there.
   * False when there is none.
   */
  #skipRetired(): boolean {
    if (!this.#hasNextSegment()) return false
    const { offset } = this.#position
    this.#position = { segment: offset, bytes: 0, offset }
    return true
  }

  #missing(): LogCorruptError {
    const { segment, bytes, offset } = this.#position
    return corrupt(this.#directory, segment, bytes, fault('cut', `a segment at ${offset}`, 'none'))
  }

  #hasNextSegment(): boolean {
    const { segment, offset } = this.#position
    return offset !== segment && this.#disk.exists(segmentPath(this.#directory, offset))
  }

  #hasLaterSegment(): boolean {
    return (listSegments(this.#disk, this.#directory).at(-1) ?? 0) > this.#position.segment
  }
}

const frameless = fault('cut', 'a frame', 'none')

/** The start of the oldest segment of a log; `null` for a log that has none. */
export function oldestPosition(disk: Disk, directory: string): LogPosition | null {
  const [oldest] = listSegments(disk, directory)
  return oldest === undefined ? null : { segment: oldest, bytes: 0, offset: oldest }
}

/** The start of the segment that holds `offset`; of the oldest where it is older; `null` for a log that has none. */
export function segmentOf(disk: Disk, directory: string, offset: number): LogPosition | null {
  const segment = listSegments(disk, directory).findLast((base) => base <= offset)
  return segment === undefined ? oldestPosition(disk, directory) : { segment, bytes: 0, offset: segment }
}
