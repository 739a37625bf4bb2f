import type { Disk, TopicName } from '@millwright/core'
import { LogCorruptError } from './errors.ts'
import type { FrameKind } from './frame.ts'
import type { Frame } from './frame-reader.ts'
import { LogCursor, segmentOf } from './log-cursor.ts'
import { decodeOutputRecords } from './output-record.ts'
import { headTimeMs, type LogPosition, listSegments, segmentPath } from './segment-names.ts'

/** A record of a topic, as readers get it. */
export interface TopicRecord {
  readonly partition: number
  /** Place in the partition; grows by one or more from record to record. */
  readonly offset: number
  /** Epoch milliseconds; never falls within a partition. */
  readonly appendTimeMs: number
  /** The device of an output, the model of an update; `null` where the record itself says it. */
  readonly key: string | null
  /** The record's bytes, without a newline. */
  readonly value: Uint8Array
}

/** Where reading begins: at an offset, at the first record that is as young as a time, or at the oldest there is. */
export interface LaneStart {
  readonly fromOffset: number
  readonly fromTimeMs: number
}

/**
 * One partition of a topic for a reader that does not own it: stops where there is nothing whole yet, goes on later,
 * jumps over what retention removed, and goes back where the owner cut off a tail that it could not make durable.
 */
export class TopicLane {
  readonly #disk: Disk
  readonly #directory: string
  readonly #kind: FrameKind
  readonly #partition: number
  readonly #start: LaneStart
  #cursor: LogCursor | null = null
  /** Everything before is known to be on stable storage: it cannot be withdrawn. */
  #durable: LogPosition = { segment: 0, bytes: 0, offset: 0 }
  /** Where something was found that cannot be read: found twice, it is damage. */
  #doubtedOffset = -1
  #records: TopicRecord[] = []
  #next = 0

  constructor(disk: Disk, directory: string, kind: FrameKind, partition: number, start: LaneStart) {
    this.#disk = disk
    this.#directory = directory
    this.#kind = kind
    this.#partition = partition
    this.#start = start
  }

  /** The next record without taking it; `null` when there is none yet. @throws {LogCorruptError} */
  peek(): TopicRecord | null {
    while (this.#next >= this.#records.length) {
      const frame = this.#nextFrame()
      if (frame === null) return null
      this.#next = 0
      this.#records = frame.header.kind === this.#kind ? this.#wanted(frame) : []
    }
    return this.#records[this.#next] ?? null
  }

  take(): void {
    this.#next += 1
  }

  close(): void {
    this.#cursor?.close()
    this.#cursor = null
  }

  #nextFrame(): Frame | null {
    this.#cursor ??= this.#open()
    const frame = this.#read()
    if (frame !== null || this.#cursor === null) return frame
    const moved = this.#movedTo(this.#cursor.position)
    return moved === null ? null : this.#readFrom(moved)
  }

  #readFrom(position: LogPosition): Frame | null {
    this.close()
    this.#cursor = new LogCursor(this.#disk, this.#directory, position)
    this.#durable = position
    return this.#read()
  }

  #read(): Frame | null {
    const before = this.#cursor?.position
    if (this.#cursor === null || before === undefined) return null
    try {
      const frame = this.#cursor.next(null)
      // Everything before such a frame is on stable storage and stays.
      if (frame?.header.syncedBefore) this.#durable = before
      return frame
    } catch (error) {
      // What was read ahead may have been withdrawn; if so, reading goes on behind the last that cannot be.
      if (!(error instanceof LogCorruptError) || this.#doubtedOffset === before.offset) throw error
      this.#doubtedOffset = before.offset
      return this.#readFrom(this.#durable)
    }
  }

  #open(): LogCursor | null {
    const { fromOffset, fromTimeMs } = this.#start
    const start = segmentOf(this.#disk, this.#directory, Math.max(fromOffset, this.#offsetBefore(fromTimeMs)))
    if (start === null) return null
    this.#durable = start
    return new LogCursor(this.#disk, this.#directory, start)
  }

  /** Base of the last segment that begins before a time. */
  #offsetBefore(timeMs: number): number {
    if (timeMs <= 0) return 0
    const bases = listSegments(this.#disk, this.#directory)
    return bases.findLast((base) => (headTimeMs(this.#disk, this.#directory, base) ?? 0) < timeMs) ?? 0
  }

  /** Where to go on, when the log is no longer what it was at the cursor's place; `null` when nothing has changed. */
  #movedTo(position: LogPosition): LogPosition | null {
    const segment = segmentOf(this.#disk, this.#directory, position.offset)
    if (segment === null) return null
    // Retention went by: the place, or the way to it, is gone.
    if (segment.segment > position.segment) return segment
    const path = segmentPath(this.#directory, position.segment)
    if (!this.#disk.exists(path) || this.#disk.size(path) >= position.bytes) return null
    // The owner cut the tail off and writes other records at these offsets.
    return this.#durable
  }

  #wanted(frame: Frame): TopicRecord[] {
    const { appendTimeMs, baseOffset } = frame.header
    if (appendTimeMs < this.#start.fromTimeMs) return []
    if (baseOffset + frame.header.recordCount <= this.#start.fromOffset) return []
    const records: TopicRecord[] = []
    const partition = this.#partition
    // The frame's memory is used again for the next one.
    const body = Buffer.from(frame.body)
    visitRecords(frame, body, (offset, key, value) => {
      if (offset >= this.#start.fromOffset) records.push({ partition, offset, appendTimeMs, key, value })
    })
    return records
  }
}

/** Kind of frame that holds the records of a topic. */
export function frameKindOf(topic: TopicName): FrameKind {
  if (topic === 'sensor-data') return 'readings'
  if (topic === 'device-events') return 'device-events'
  if (topic === 'model-updates') return 'model-update'
  return 'outputs'
}

/** Calls `visit` for each record of a frame; values are views of `body`. */
function visitRecords(
  frame: Frame,
  body: Buffer,
  visit: (offset: number, key: string | null, value: Buffer) => void,
): void {
  const { kind, baseOffset, recordCount } = frame.header
  if (kind === 'outputs') {
    let offset = baseOffset
    decodeOutputRecords(body, recordCount, ({ key, value }) => visit(offset++, key, value))
  } else if (kind === 'model-update') visit(baseOffset, (JSON.parse(body.toString()) as { name: string }).name, body)
  else {
    let at = 0
    for (let record = 0; record < recordCount; record++) {
      const end = body.indexOf(10, at)
      visit(baseOffset + record, null, body.subarray(at, end === -1 ? body.length : end))
      at = end === -1 ? body.length : end + 1
    }
  }
}
