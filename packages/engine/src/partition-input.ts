import { assert, type Clock, type Disk, limits, type MillwrightError, type ModelUpdate } from '@millwright/core'
import { DiskFailedError, diskError, isRetriable } from './errors.ts'
import { decodeFrameHeader, frameBytes, frameHeaderBytes, isFrameFault } from './frame.ts'
import { InputStaging, type LineKind, type StagedLines } from './input-staging.ts'
import { InputState, type StateChange } from './input-state.ts'
import { scanLog } from './log-scan.ts'
import type { OnPhase } from './phases.ts'
import { type LogPosition, segmentPath } from './segment-names.ts'
import { SegmentedLog } from './segmented-log.ts'

/**
 * The input log of one partition: commits what is staged in groups, and says when it is durable.
 *
 * P1. `settle` of what was staged is called once: without an error only after a sync that covered its last frame.
 * P2. What a resumable source sends again is not appended again (A2); the answer still waits until everything staged
 *     before is durable, since the first copy may be on its way.
 * P3. After a failed group nothing staged is kept: positions, offsets and activations go back to what is durable, and
 *     every append that waits is rejected. So no position ever passes a line that is not in the log.
 */
export class PartitionInput {
  readonly partition: number
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #elapsedMs: () => number
  readonly #onDurable: () => void
  readonly #onCommit: (commitMs: number, byteLength: number) => void
  readonly #onBroken: (error: Error) => void
  readonly #onPhase: OnPhase | null
  readonly #log: SegmentedLog
  readonly #staging: InputStaging
  readonly #segmentBytesMax: number
  /** What the durable frames say. */
  readonly #durable: InputState
  #waiting: { readonly endOffset: number; readonly settle: Settle }[] = []
  #committing: Promise<void> | null = null
  /** When the oldest of what is staged was, the newest heartbeat, and the newest that is none. */
  #gatherSinceMs = 0
  #beatAtMs: number
  #busySinceMs: number
  readonly #closedBytes = new Map<number, number>()
  #recoverAgainAtMs = 0

  constructor(options: PartitionInputOptions) {
    const { disk, directory, scanned, segmentBytesMax } = options
    this.partition = options.partition
    this.#disk = disk
    this.#clock = options.clock
    this.#elapsedMs = options.elapsedMs
    this.#onDurable = options.onDurable
    this.#onCommit = options.onCommit
    this.#onBroken = options.onBroken
    this.#onPhase = options.onPhase
    this.#durable = scanned.state
    this.#segmentBytesMax = segmentBytesMax
    this.#log = new SegmentedLog(disk, directory, scanned.scan, {
      segmentBytesMax,
      head: () => this.#durable.encode(),
    })
    const { end, lastAppendTimeMs } = this.#log
    this.#staging = new InputStaging(this.#clock, scanned.state.clone(), end.offset, lastAppendTimeMs)
    this.#beatAtMs = this.#elapsedMs()
    this.#busySinceMs = this.#beatAtMs
  }

  /** Everything before is durable: where the operators may read to. */
  get durable(): LogPosition {
    return this.#log.synced
  }

  /** Offset that the next record will have. */
  get nextOffset(): number {
    return this.#staging.nextOffset
  }

  /** Append time of the newest record, epoch milliseconds; 0 for an empty log. */
  get appendTimeMs(): number {
    return this.#staging.appendTimeMs
  }

  /** Base offsets of the segments, ascending. */
  get segments(): readonly number[] {
    return this.#log.segments
  }

  /** Bytes that are not on stable storage yet. */
  get unsyncedBytes(): number {
    return this.#staging.byteLength + this.#log.unsyncedBytes
  }

  /** Bytes of durable input behind `position`. */
  bytesBehind(position: LogPosition): number {
    const { durable } = this
    let byteLength = durable.bytes - position.bytes
    for (const base of this.#log.segments)
      if (base >= position.segment && base < durable.segment) byteLength += this.#segmentBytes(base)
    return byteLength
  }

  /** What the durable part of the log says of sources and activations. */
  get state(): InputState {
    return this.#durable
  }

  /** Offset in the log of model updates of the first that is not even staged here. */
  get nextUpdateOffset(): number {
    return this.#staging.nextUpdateOffset
  }

  /**
   * Makes the log writable again after a failure.
   *
   * @throws {DiskFullError | DiskFailedError} When it still fails. Tried at most four times a second.
   */
  requireWritable(): void {
    if (!this.#log.failed) return
    const now = this.#elapsedMs()
    if (now < this.#recoverAgainAtMs)
      throw new DiskFailedError('Cannot append as the disk must work: the last write to it failed a moment ago')
    this.#recoverAgainAtMs = now + 250
    this.#log.recover()
  }

  /** Stages whole lines; returns how many of them the partition had already (P2). */
  stageLines(kind: LineKind, lines: StagedLines, settle: Settle): number {
    this.#requireNotFailed()
    this.#busySinceMs = this.#elapsedMs()
    const known = this.#stage(() => this.#staging.lines(kind, lines))
    this.#await(settle)
    return known
  }

  /** Stages the activation of a model update. */
  stageActivation(update: ModelUpdate, updateOffset: number, settle: Settle): void {
    this.#requireNotFailed()
    this.#busySinceMs = this.#elapsedMs()
    this.#stage(() => this.#staging.activation(update, updateOffset))
    this.#await(settle)
  }

  /**
   * Stages a heartbeat when the last was long enough ago: `heartbeatEveryMs`, and a 32nd of the time that nothing but heartbeats has
   * come, so that an idle year costs little. It comes among readings too: these carry time forward for their own devices alone, and
   * of a machine that falls silent while others send nobody would hear. Does nothing where the clock is behind the log.
   */
  heartbeatIfDue(heartbeatEveryMs: number): void {
    const now = this.#elapsedMs()
    const idleMs = now - this.#busySinceMs
    const everyMs = Math.min(Math.max(heartbeatEveryMs, idleMs / 32), limits.heartbeatIntervalMsMax)
    if (now - this.#beatAtMs >= everyMs) this.#beat()
  }

  /** Stages a heartbeat, unless something is being written, which moves the log's clock itself, or the clock is not ahead of the log. */
  heartbeat(): void {
    if (this.#committing === null && this.#clock.nowMs() > this.appendTimeMs) this.#beat()
  }

  /** Stages the present state, so that a next start finds it without the frames before (at a clean close). */
  stageState(acknowledged: (sourceId: string) => number): void {
    this.#stage(() => this.#staging.state(acknowledged))
    this.#kick()
  }

  /** Resolves when nothing is staged or being synced. */
  async idle(): Promise<void> {
    while (this.#committing !== null) await this.#committing
  }

  /** Takes the oldest segment out of the list; the caller removes its file. */
  forgetOldestSegment(): void {
    const [oldest] = this.#log.segments
    if (oldest !== undefined) this.#closedBytes.delete(oldest)
    this.#log.forgetOldest()
  }

  close(): void {
    this.#log.close()
  }

  /** Length of a segment that is not written to any more. */
  #segmentBytes(base: number): number {
    const known = this.#closedBytes.get(base)
    if (known !== undefined) return known
    const byteLength = this.#disk.size(segmentPath(this.#log.directory, base))
    this.#closedBytes.set(base, byteLength)
    return byteLength
  }

  #beat(): void {
    if (this.#log.failed || this.#clock.nowMs() < this.appendTimeMs) return
    this.#beatAtMs = this.#elapsedMs()
    this.#stage(() => this.#staging.heartbeat())
    this.#kick()
  }

  #requireNotFailed(): void {
    assert(!this.#log.failed, 'requireWritable comes before staging')
  }

  #stage<T>(act: () => T): T {
    if (this.#staging.byteLength === 0) this.#gatherSinceMs = this.#elapsedMs()
    return act()
  }

  #await(settle: Settle): void {
    if (this.#staging.byteLength === 0 && this.nextOffset <= this.durable.offset) {
      settle(null)
      return
    }
    this.#waiting.push({ endOffset: this.nextOffset, settle })
    this.#kick()
  }

  /** Begins to commit at the end of this turn, so that everything of one turn goes in one group. */
  #kick(): void {
    this.#committing ??= Promise.resolve().then(async () => {
      try {
        await this.#commitGroups()
      } catch (error) {
        this.#fail(diskError(error, 'append to', this.#log.directory))
        // The log's own errors can be retried. Anything else is something of ours that is broken.
        if (!isRetriable(error)) this.#onBroken(error instanceof Error ? error : new Error(String(error)))
      } finally {
        this.#committing = null
      }
      // Something may have been staged between the last look and the end.
      if (this.#staging.byteLength > 0) this.#kick()
    })
  }

  async #commitGroups(): Promise<void> {
    for (;;) {
      const group = this.#staging.group(Math.min(limits.groupBytesMax, this.#segmentBytesMax))
      if (group === null) return
      const startedMs = this.#elapsedMs()
      const byteLength = group.frames.length
      this.#onPhase?.('ingestion', 'begin', this.partition)
      this.#log.append(group.frames, group.recordCount, group.lastAppendTimeMs)
      const changes = stateChanges(group.frames)
      this.#staging.drop(byteLength)
      await this.#log.sync()
      for (const change of changes) this.#durable.apply(change)
      this.#onPhase?.('ingestion', 'end', this.partition)
      this.#onCommit(this.#elapsedMs() - startedMs, byteLength)
      this.#onDurable()
      this.#settleThrough(this.durable.offset)
      if (this.#staging.byteLength > 0) await this.#gather()
    }
  }

  /** Lets what comes within a few milliseconds share the next sync. */
  async #gather(): Promise<void> {
    const waitMs = limits.groupDelayMsMax - (this.#elapsedMs() - this.#gatherSinceMs)
    if (waitMs < 1 || this.#staging.byteLength >= gatherBytesMax) return
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }

  #settleThrough(offset: number): void {
    let count = 0
    while (count < this.#waiting.length && (this.#waiting[count]?.endOffset ?? 0) <= offset) count++
    for (const { settle } of this.#waiting.splice(0, count)) settle(null)
  }

  /** P3. */
  #fail(error: MillwrightError): void {
    this.#staging.reset(this.#durable.clone(), this.durable.offset)
    const waiting = this.#waiting
    this.#waiting = []
    try {
      this.#log.recover()
    } catch {
      // The next append tries again, and says so to its caller when it still fails.
      this.#recoverAgainAtMs = this.#elapsedMs() + 250
    }
    for (const { settle } of waiting) settle(error)
  }
}

/** Told once: with `null` when what was staged is durable, with the reason when it is not in the log. */
export type Settle = (error: MillwrightError | null) => void

export interface PartitionInputOptions {
  readonly partition: number
  readonly disk: Disk
  readonly directory: string
  readonly scanned: ScannedInput
  readonly segmentBytesMax: number
  readonly clock: Clock
  /** Milliseconds of a clock that never falls. */
  readonly elapsedMs: () => number
  readonly onDurable: () => void
  readonly onCommit: (commitMs: number, byteLength: number) => void
  /** Something failed that is not the disk's: the plant must stop. */
  readonly onBroken: (error: Error) => void
  readonly onPhase: OnPhase | null
}

/** An input log as it was found, before anything was changed. */
export interface ScannedInput {
  readonly scan: ReturnType<typeof scanLog>
  readonly state: InputState
}

/** @throws {LogCorruptError} */
export function scanInput(disk: Disk, directory: string): ScannedInput {
  const state = new InputState()
  const scan = scanLog(disk, directory, (frame) => state.apply(frame))
  return { scan, state }
}

/** Enough for one sync to be cheap beside what it covers. */
const gatherBytesMax = 1024 * 1024

/** Copies what will change the state from frames that are about to be written. */
function stateChanges(frames: Buffer): StateChange[] {
  const changes: StateChange[] = []
  for (let at = 0; at < frames.length; ) {
    const header = decodeFrameHeader(frames, at)
    assert(!isFrameFault(header), 'what was just encoded can be decoded')
    if (InputState.concerns(header)) {
      const payloadAt = at + frameHeaderBytes
      const bodyAt = payloadAt + header.extensionBytes
      const small = header.kind === 'activation' || header.kind === 'log-state'
      changes.push({
        header,
        extension: Buffer.from(frames.subarray(payloadAt, bodyAt)),
        body: small ? Buffer.from(frames.subarray(bodyAt, bodyAt + header.bodyBytes)) : Buffer.alloc(0),
      })
    }
    at += frameBytes(header)
  }
  return changes
}
