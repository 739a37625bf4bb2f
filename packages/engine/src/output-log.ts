import { assert, type Disk, type DurationHistogram, limits, type TopicName } from '@millwright/core'
import { FrameStaging } from './frame-staging.ts'
import { type LogScan, scanLog } from './log-scan.ts'
import {
  decodeOutputMark,
  encodeOutputMark,
  encodeOutputRecord,
  isThrough,
  type OutputMark,
  outputMarkBytes,
  outputRecordHeadBytes,
} from './output-record.ts'
import type { LogPosition } from './segment-names.ts'
import { SegmentedLog } from './segmented-log.ts'
import { UndurableAppends } from './undurable-appends.ts'

/**
 * The log of one output topic of one partition.
 *
 * O1. Records stand in the order of their marks, (input offset, index), each once: what is at or before the mark found at opening is
 *     counted as suppressed and not written again.
 * O2. Only what came from durable input is added, so the mark never names an input record that could be lost.
 * O3. Subscribers are told of a record after a sync has covered it.
 */
export class OutputLog {
  readonly topic: TopicName
  readonly #log: SegmentedLog
  readonly #staging = new FrameStaging()
  readonly #found: OutputMark | null
  /** After the last record written, for the head of the next segment. */
  #written: OutputMark | null
  #last: OutputMark | null = null
  #nextOffset: number
  #openAppendTimeMs = 0
  #suppressedCount = 0
  #syncing: Promise<void> | null = null
  #telling = false
  #untold: ToldRecord[] = []
  readonly #undurable: UndurableAppends | null

  /** @param measured Whether {@link measureDurable} is called after each sync. */
  constructor(
    disk: Disk,
    directory: string,
    topic: TopicName,
    scanned: ScannedOutput,
    segmentBytesMax: number,
    measured = false,
  ) {
    this.topic = topic
    this.#undurable = measured ? new UndurableAppends() : null
    this.#found = scanned.mark
    this.#written = scanned.mark
    this.#log = new SegmentedLog(disk, directory, scanned.scan, {
      segmentBytesMax,
      head: () => encodeHead(this.#written),
    })
    this.#nextOffset = this.#log.end.offset
  }

  get end(): LogPosition {
    return this.#log.end
  }

  get unsyncedBytes(): number {
    return this.#log.unsyncedBytes
  }

  /** Records that were calculated again after a recovery and were there already. */
  get suppressedCount(): number {
    return this.#suppressedCount
  }

  /** Whether records are kept until they are durable, to be told. */
  set telling(telling: boolean) {
    this.#telling = telling
    if (!telling) this.#untold = []
  }

  get telling(): boolean {
    return this.#telling
  }

  /**
   * Adds what the operator emitted while it processed the record at `inputOffset`.
   *
   * @param appendTimeMs Append time of that record.
   * @throws {DiskFullError | DiskFailedError} When much is staged, which is then written at once.
   */
  add(key: string | null, inputOffset: number, value: string, appendTimeMs: number): void {
    const last = this.#last
    assert(last === null || inputOffset >= last.inputOffset, 'outputs of a topic come in order of input offset (O1)')
    this.addMarked(
      key,
      { inputOffset, index: last?.inputOffset === inputOffset ? last.index + 1 : 0 },
      value,
      appendTimeMs,
    )
  }

  /** Like {@link add}, where the caller knows the whole mark. */
  addMarked(key: string | null, mark: OutputMark, value: string, appendTimeMs: number): void {
    assert(!isThrough(mark, this.#last), 'marks grow (O1)')
    const { inputOffset } = mark
    if (isThrough(mark, this.#found)) {
      this.#last = mark
      this.#suppressedCount += 1
      return
    }
    if (this.#staging.openBodyBytes >= limits.frameBytesMax || appendTimeMs !== this.#openAppendTimeMs) this.#seal()
    if (this.#staging.byteLength >= limits.groupBytesMax) this.write()
    if (this.#staging.openBodyBytes < 0) {
      this.#openAppendTimeMs = appendTimeMs
      // A log that a record with a later time was written to keeps that time: append time never falls.
      const time = Math.max(appendTimeMs, this.#log.lastAppendTimeMs)
      this.#staging.open('outputs', this.#nextOffset, time, outputMarkBytes)
    }
    this.#last = mark
    const at = this.#staging.reserve(outputRecordHeadBytes + 3 * ((key?.length ?? 0) + value.length))
    this.#staging.advance(encodeOutputRecord(this.#staging.memory, at, key, mark, value), 1)
    if (this.#telling)
      this.#untold.push({ offset: this.#nextOffset, appendTimeMs, key, value, inputOffset, index: mark.index })
    this.#undurable?.added(this.#nextOffset, appendTimeMs)
    this.#nextOffset += 1
  }

  /** Writes what was added; not yet durable. @throws {DiskFullError | DiskFailedError} */
  write(): void {
    this.#seal()
    const staged = this.#staging.first(Number.POSITIVE_INFINITY)
    if (staged === null) return
    this.#log.append(staged.frames, staged.recordCount, staged.lastAppendTimeMs)
    this.#staging.clear()
    this.#written = this.#last
  }

  /** Resolves when everything written before the call is durable. @throws {DiskFullError | DiskFailedError} */
  async sync(): Promise<void> {
    // One sync at a time: the next one covers everything that came during this one.
    if (this.#syncing !== null) await this.#syncing
    this.#syncing ??= this.#log.sync().finally(() => {
      this.#syncing = null
    })
    await this.#syncing
  }

  /** Whether a write or sync failed: the log takes nothing more. */
  get failed(): boolean {
    return this.#log.failed
  }

  get syncing(): boolean {
    return this.#syncing !== null
  }

  /** Takes the records that are durable and were not told yet (O3). */
  takeDurable(): ToldRecord[] {
    const { offset } = this.#log.synced
    const count = this.#untold.findIndex((record) => record.offset >= offset)
    return this.#untold.splice(0, count === -1 ? this.#untold.length : count)
  }

  /** Adds the delay, from append to `nowMs`, of the records that have become durable. Of those that were there already none is known. */
  measureDurable(nowMs: number, into: DurationHistogram): void {
    this.#undurable?.durable(this.#log.synced.offset, nowMs, into)
  }

  /** After a failure: cuts the file back to what is durable. The log is then to be scanned and opened anew. */
  recover(): void {
    this.#log.recover()
  }

  close(): void {
    this.#log.close()
  }

  #seal(): void {
    if (this.#staging.openBodyBytes < 0) return
    assert(this.#last !== null, 'a frame of outputs has a record')
    this.#staging.seal(encodeOutputMark(this.#last))
  }
}

/** An output as subscribers get it. */
export interface ToldRecord extends OutputMark {
  readonly offset: number
  readonly appendTimeMs: number
  readonly key: string | null
  readonly value: string
}

/** An output log as it was found, before anything was changed. */
export interface ScannedOutput {
  readonly scan: LogScan
  /** Of the last record; `null` when there was never one. */
  readonly mark: OutputMark | null
}

/** @throws {LogCorruptError} */
export function scanOutput(disk: Disk, directory: string): ScannedOutput {
  let mark: OutputMark | null = null
  const scan = scanLog(disk, directory, (frame) => {
    if (frame.header.kind === 'log-state') mark = (JSON.parse(frame.body.toString()) as StoredOutputHead).mark
    else mark = decodeOutputMark(frame.extension)
  })
  return { scan, mark }
}

interface StoredOutputHead {
  readonly mark: OutputMark | null
}

function encodeHead(mark: OutputMark | null): Buffer {
  return Buffer.from(JSON.stringify({ mark } satisfies StoredOutputHead))
}
