import { assert, type Clock, type Disk, limits, type MillwrightError, type ModelUpdate } from '@millwright/core'
import { DiskFailedError, diskError } from './errors.ts'
import { decodeFrameHeader, frameBytes, frameHeaderBytes, isFrameFault } from './frame.ts'
import { FrameStaging } from './frame-staging.ts'
import {
  activationExtensionBytes,
  encodeActivationExtension,
  encodeSourceExtension,
  sourceExtensionBytes,
} from './input-extension.ts'
import { InputState, type StateChange } from './input-state.ts'
import { firstLines, lineEnd } from './lines.ts'
import { scanLog } from './log-scan.ts'
import type { OnPhase } from './phases.ts'
import { type LogPosition, segmentPath } from './segment-names.ts'
import { SegmentedLog } from './segmented-log.ts'

/**
 * The input log of one partition: stages what comes, commits it in groups, says when it is durable.
 *
 * P1. `settle` of a staged append is called once: without an error only after a sync that covered its last frame.
 * P2. Append time never falls, also where the clock does.
 * P3. What a resumable source sends at or before its position here is not appended again; the answer still waits until
 *     everything staged before is durable, since the first copy may be on its way.
 * P4. After a failed group nothing staged is kept: positions, offsets and activations go back to what is durable, and
 *     every append that waits is rejected. So no position ever passes a line that is not in the log.
 */
export class PartitionInput {
  readonly partition: number
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #elapsedMs: () => number
  readonly #onDurable: () => void
  readonly #onCommit: (commitMs: number, byteLength: number) => void
  readonly #onPhase: OnPhase | null
  readonly #log: SegmentedLog
  readonly #staging = new FrameStaging()
  readonly #segmentBytesMax: number
  /** What the durable frames say, and what they will say when the staged ones are durable too. */
  #durable: InputState
  #staged: InputState
  #nextOffset: number
  #appendTimeMs: number
  #openSource: FrameStagingSource | null = null
  #openKind: LineKind | null = null
  #waiting: { readonly endOffset: number; readonly settle: Settle }[] = []
  #committing: Promise<void> | null = null
  #stagedSinceMs = 0
  readonly #closedBytes = new Map<number, number>()
  #recoverAgainAtMs = 0
  #lastFrameAtMs: number
  #busySinceMs: number

  constructor(options: PartitionInputOptions) {
    const { disk, directory, scanned, segmentBytesMax } = options
    this.partition = options.partition
    this.#disk = disk
    this.#clock = options.clock
    this.#elapsedMs = options.elapsedMs
    this.#onDurable = options.onDurable
    this.#onCommit = options.onCommit
    this.#onPhase = options.onPhase
    this.#durable = scanned.state
    this.#staged = scanned.state.clone()
    this.#segmentBytesMax = segmentBytesMax
    this.#log = new SegmentedLog(disk, directory, scanned.scan, {
      segmentBytesMax,
      head: () => this.#durable.encode(),
    })
    this.#nextOffset = this.#log.end.offset
    this.#appendTimeMs = this.#log.lastAppendTimeMs
    this.#lastFrameAtMs = this.#elapsedMs()
    this.#busySinceMs = this.#lastFrameAtMs
  }

  /** Everything before is durable: where the operators may read to. */
  get durable(): LogPosition {
    return this.#log.synced
  }

  /** Offset that the next record will have. */
  get nextOffset(): number {
    return this.#nextOffset
  }

  /** Append time of the newest record, epoch milliseconds; 0 for an empty log. */
  get appendTimeMs(): number {
    return this.#appendTimeMs
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
    return this.#staged.nextUpdateOffset
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

  /** Stages whole lines; returns how many of them the partition had already (P3). */
  stageLines(kind: LineKind, lines: StagedLines, settle: Settle): number {
    assert(!this.#log.failed, 'requireWritable comes before staging')
    const known = lines.source === null ? 0 : knownLines(lines, this.#staged.sourcePosition(lines.source.id))
    if (known < lines.lineCount) {
      const bytes = known === 0 ? lines.bytes : lines.bytes.subarray(lineEnd(lines.bytes, known))
      this.#stagePieces(kind, { ...lines, bytes, lineCount: lines.lineCount - known }, known)
    }
    this.#await(settle)
    return known
  }

  /** Stages the activation of a model update. */
  stageActivation(update: ModelUpdate, updateOffset: number, settle: Settle): void {
    assert(!this.#log.failed, 'requireWritable comes before staging')
    assert(updateOffset >= this.#staged.nextUpdateOffset, 'model updates reach a partition in order')
    this.#openFrame('activation', activationExtensionBytes)
    this.#staging.add(Buffer.from(JSON.stringify(update)), 1)
    this.#staging.seal(encodeActivationExtension(updateOffset))
    this.#staged.activate({ update, updateOffset, seenAtMs: this.#appendTimeMs })
    this.#nextOffset += 1
    this.#await(settle)
  }

  /**
   * Stages a heartbeat when nothing was appended for long enough: `heartbeatEveryMs`, and a 32nd of the time that nothing
   * but heartbeats has come, so that an idle year costs little. Does nothing where the clock is not ahead of the log.
   */
  heartbeatIfIdle(heartbeatEveryMs: number): void {
    const now = this.#elapsedMs()
    const idleMs = now - this.#busySinceMs
    const everyMs = Math.min(Math.max(heartbeatEveryMs, idleMs / 32), limits.heartbeatIntervalMsMax)
    const writing = this.#committing !== null || this.#log.failed
    if (writing || now - this.#lastFrameAtMs < everyMs || this.#clock.nowMs() <= this.#appendTimeMs) return
    const busySince = this.#busySinceMs
    this.#openFrame('heartbeat', 0)
    this.#staging.advance(0, 1)
    this.#staging.seal(new Uint8Array(0))
    this.#busySinceMs = busySince
    this.#nextOffset += 1
    this.#kick()
  }

  /** Stages the present state, so that a next start finds it without the frames before (at a clean close). */
  stageState(acknowledged: (sourceId: string) => number): void {
    for (const id of this.#staged.sourceIds) this.#staged.mark({ id, position: 0, acknowledged: acknowledged(id) })
    this.#sealLines()
    this.#openFrame('log-state', 0)
    this.#staging.add(this.#staged.encode(), 0)
    this.#staging.seal(new Uint8Array(0))
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

  #stagePieces(kind: LineKind, lines: StagedLines, firstLine: number): void {
    const divisible = lines.source === null || lines.source.linePositions !== null
    let rest = lines.bytes
    let lineCount = lines.lineCount
    let line = firstLine
    while (lineCount > 0) {
      const whole = rest.length <= limits.frameBytesMax || !divisible
      const piece = whole ? { byteLength: rest.length, lineCount } : firstLines(rest, limits.frameBytesMax)
      line += piece.lineCount
      const position = lines.source === null ? 0 : (lines.source.linePositions?.[line - 1] ?? lines.source.position)
      this.#stagePiece(kind, rest.subarray(0, piece.byteLength), piece.lineCount, lines.source, position)
      rest = rest.subarray(piece.byteLength)
      lineCount -= piece.lineCount
    }
    assert(rest.length === 0, 'lineCount counts the lines')
  }

  /** Adds lines to the open frame where they belong with what it has, else to a new one. */
  #stagePiece(kind: LineKind, bytes: Uint8Array, lineCount: number, source: LineSource | null, position: number): void {
    const body = this.#staging.openBodyBytes
    const joins =
      body >= 0 &&
      this.#openKind === kind &&
      (this.#openSource?.id ?? null) === (source?.id ?? null) &&
      body + bytes.length < limits.frameBytesMax
    if (!joins) {
      this.#openFrame(kind, source === null ? 0 : sourceExtensionBytes(source.id))
      this.#openKind = kind
    }
    this.#staging.add(bytes, lineCount)
    if (bytes[bytes.length - 1] !== newline) this.#staging.add(newlineBytes, 0)
    this.#openSource = source === null ? null : { id: source.id, position, acknowledged: source.acknowledged }
    if (this.#openSource !== null) this.#staged.mark(this.#openSource)
    this.#nextOffset += lineCount
  }

  #openFrame(kind: LineKind | 'activation' | 'heartbeat' | 'log-state', extensionBytes: number): void {
    this.#sealLines()
    if (this.#staging.byteLength === 0) this.#stagedSinceMs = this.#elapsedMs()
    // P2.
    this.#appendTimeMs = Math.max(this.#appendTimeMs, Math.floor(this.#clock.nowMs()))
    this.#lastFrameAtMs = this.#elapsedMs()
    this.#busySinceMs = this.#lastFrameAtMs
    this.#staging.open(kind, this.#nextOffset, this.#appendTimeMs, extensionBytes)
  }

  #sealLines(): void {
    if (this.#staging.openBodyBytes < 0) return
    this.#staging.seal(this.#openSource === null ? new Uint8Array(0) : encodeSourceExtension(this.#openSource))
    this.#openSource = null
    this.#openKind = null
  }

  #await(settle: Settle): void {
    if (this.#staging.byteLength === 0 && this.#nextOffset <= this.durable.offset) {
      settle(null)
      return
    }
    this.#waiting.push({ endOffset: this.#nextOffset, settle })
    this.#kick()
  }

  /** Begins to commit at the end of this turn, so that everything of one turn goes in one group. */
  #kick(): void {
    this.#committing ??= Promise.resolve().then(async () => {
      try {
        await this.#commitGroups()
      } catch (error) {
        this.#fail(diskError(error, 'append to', this.#log.directory))
      } finally {
        this.#committing = null
      }
      // Something may have been staged between the last look and the end.
      if (this.#staging.byteLength > 0) this.#kick()
    })
  }

  async #commitGroups(): Promise<void> {
    for (;;) {
      this.#sealLines()
      const group = this.#staging.first(Math.min(limits.groupBytesMax, this.#segmentBytesMax))
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
    const waitMs = limits.groupDelayMsMax - (this.#elapsedMs() - this.#stagedSinceMs)
    if (waitMs < 1 || this.#staging.byteLength >= gatherBytesMax) return
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }

  #settleThrough(offset: number): void {
    let count = 0
    while (count < this.#waiting.length && (this.#waiting[count]?.endOffset ?? 0) <= offset) count++
    for (const { settle } of this.#waiting.splice(0, count)) settle(null)
  }

  /** P4. */
  #fail(error: MillwrightError): void {
    this.#staging.clear()
    this.#openSource = null
    this.#openKind = null
    this.#staged = this.#durable.clone()
    this.#nextOffset = this.durable.offset
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

export type LineKind = 'readings' | 'device-events'

/** Told once: with `null` when what was staged is durable, with the reason when it is not in the log. */
export type Settle = (error: MillwrightError | null) => void

export interface LineSource {
  readonly id: string
  /** After the last of the lines. */
  readonly position: number
  /** After each line, ascending; `null`: all of them stand at `position`. */
  readonly linePositions: Float64Array | null
  readonly acknowledged: number
}

export interface StagedLines {
  readonly bytes: Uint8Array
  readonly lineCount: number
  readonly source: LineSource | null
}

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

interface FrameStagingSource {
  readonly id: string
  readonly position: number
  readonly acknowledged: number
}

/** Enough for one sync to be cheap beside what it covers. */
const gatherBytesMax = 1024 * 1024
const newline = 10
const newlineBytes = Uint8Array.of(newline)

/** Lines at the head that stand at or before `position`. */
function knownLines(lines: StagedLines, position: number): number {
  const { source, lineCount } = lines
  if (source === null || position === 0) return 0
  const positions = source.linePositions
  if (positions === null) return source.position <= position ? lineCount : 0
  assert(positions.length === lineCount, 'a resumable source says the position of each line')
  let known = 0
  while (known < lineCount && (positions[known] as number) <= position) known++
  return known
}

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
