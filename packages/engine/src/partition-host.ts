import {
  assert,
  type Clock,
  type Disk,
  type DurationCounts,
  type DurationHistogram,
  limits,
  type OperatorCounters,
  type OutputSink,
  type OutputTopic,
  outputTopics,
  type PartitionOperator,
} from '@millwright/core'
import { inputDirectory, outputDirectory, stateDirectory } from './data-folder.ts'
import { DiskFailedError } from './errors.ts'
import type { FrameKind } from './frame.ts'
import type { Frame } from './frame-reader.ts'
import { LogCursor } from './log-cursor.ts'
import { requireThrough } from './log-scan.ts'
import type { ModelCache } from './model-cache.ts'
import { feedFrame } from './operator-feed.ts'
import { firstPosition } from './operator-start.ts'
import { OutputLog, type ScannedOutput, scanOutput, type ToldRecord } from './output-log.ts'
import type { OnPhase } from './phases.ts'
import type { LogPosition } from './segment-names.ts'
import { type LoadedSnapshot, type SavedSnapshot, type SnapshotCut, SnapshotStore } from './snapshot-store.ts'
import { StateTaker } from './state-taker.ts'

/**
 * Runs the operator of one partition: input log in, output logs and snapshots out.
 *
 * H1. Only durable input is processed, each record once, in order, from where the state left off.
 * H2. `processed` passes a record when all its outputs are written; a snapshot passes it when they are durable (T1).
 * H3. While a snapshot is cut nothing is processed, so that all of it is the state at one offset (S2); before and after, it goes on.
 * H4. After a failure of the disk nothing in memory is believed: the host is closed and another one is opened on what is
 *     durable, by the same way as after a crash.
 * H5. An output has the append time of the record that caused it, however much is processed at once: live, after a crash and when
 *     everything is processed anew.
 */
export class PartitionHost {
  readonly partition: number
  readonly #options: PartitionHostOptions
  readonly #store: SnapshotStore
  readonly #inputDirectory: string
  #scanned = new Map<OutputTopic, ScannedOutput>()
  #outputs = new Map<OutputTopic, OutputLog>()
  #loaded: LoadedSnapshot | null = null
  #cursor: LogCursor | null = null
  #processed: LogPosition = { segment: 0, bytes: 0, offset: 0 }
  #appendTimeMs = 0
  /** Of the frames of the step at hand, in order: the offset behind each, and its append time. */
  readonly #fed: { readonly endOffset: number; readonly appendTimeMs: number }[] = []
  /** What the disk threw while the operator was emitting; the operator may have wrapped it. */
  #sinkError: unknown = null
  #snapshotting: Promise<SavedSnapshot> | null = null
  /** Resolves when the cut that is being made is over; `null` while none is (H3). */
  #cutting: Promise<void> | null = null
  /** Whether the operator stands between two records: not while it processes, and never again after a failure in the midst of it. */
  #isBetweenRecords = true
  #snapshotOffset = 0

  constructor(options: PartitionHostOptions) {
    this.#options = options
    this.partition = options.partition
    this.#inputDirectory = inputDirectory(options.directory, options.partition)
    this.#store = new SnapshotStore(
      options.disk,
      stateDirectory(options.directory, options.partition),
      options.partition,
    )
  }

  /**
   * Reads what is there and restores the state from the newest whole snapshot. Changes nothing on disk.
   *
   * @throws {LogCorruptError | StateCorruptError}
   */
  async prepare(): Promise<PreparedPartition> {
    const { disk, directory, partition, identity, createOperator } = this.#options
    const loaded = await this.#store.load(identity, () => createOperator(partition, this.#sink))
    this.#loaded = loaded
    let needed = loaded.manifest?.input.offset ?? 0
    for (const topic of outputTopics) {
      const folder = outputDirectory(directory, topic, partition)
      const scanned = scanOutput(disk, folder)
      requireThrough(folder, scanned.scan, loaded.manifest?.outputs[topic] ?? 0)
      this.#scanned.set(topic, scanned)
      needed = Math.max(needed, (scanned.mark?.inputOffset ?? -1) + 1)
    }
    const previous = loaded.manifest !== null && loaded.manifest.identity !== identity ? loaded.manifest.identity : null
    return {
      partition,
      inputNeeded: needed,
      snapshot: loaded.manifest?.sequence ?? null,
      previousIdentity: previous,
      snapshotDamage: loaded.damage?.message ?? null,
      tornOutputBytes: [...this.#scanned.values()].reduce((sum, { scan }) => sum + scan.tornBytes, 0),
    }
  }

  /**
   * Takes the outputs over and finds the first record to process. Where the state is of another identity, that is the
   * first one that left no output yet, with an empty state and a fresh snapshot.
   *
   * @throws {DiskFullError | DiskFailedError | ModelMissingError}
   */
  async start(inputNeeded: number): Promise<LogPosition> {
    const { disk, directory, partition, identity, segmentBytesMax, models } = this.#options
    this.#store.removeRests()
    for (const [topic, scanned] of this.#scanned) {
      const folder = outputDirectory(directory, topic, partition)
      this.#outputs.set(topic, new OutputLog(disk, folder, topic, scanned, segmentBytesMax, topic === 'alert-signals'))
    }
    const { manifest, operator } = this.#requireLoaded()
    const from = manifest?.identity === identity ? manifest.input.offset : manifest === null ? 0 : inputNeeded
    this.#processed = firstPosition({
      disk,
      directory: this.#inputDirectory,
      models,
      manifest,
      identity,
      operator,
      from,
    })
    this.#snapshotOffset = this.#processed.offset
    if (manifest !== null && manifest.identity !== identity) await this.#store.save(this.#cut())
    this.#cursor = new LogCursor(disk, this.#inputDirectory, this.#processed)
    return this.#processed
  }

  /** Everything before was processed and its outputs are written. */
  get processed(): LogPosition {
    return this.#processed
  }

  get counters(): OperatorCounters {
    return this.#operator.counters
  }

  get deviceCount(): number {
    return this.#operator.deviceCount
  }

  /** Offset before which no recovery will read: that of the older of the two snapshots kept; `null` while there is none. */
  get neededFrom(): number | null {
    const offsets = this.#store.kept.map((manifest) => manifest.input.offset)
    return offsets.length === 0 ? null : Math.min(...offsets)
  }

  /** Hashes of the model packages that a recovery would load. */
  get neededModels(): readonly string[] {
    return this.#store.kept.flatMap((manifest) => manifest.shared?.activations.map(({ sha256 }) => sha256) ?? [])
  }

  get alertLatency(): DurationCounts {
    return this.#options.alertLatency.read()
  }

  get suppressedCount(): number {
    return sum([...this.#outputs.values()].map((log) => log.suppressedCount))
  }

  /** Whether `step` would do anything: there is durable input, and not too much output waits for its sync. */
  hasWork(durable: LogPosition): boolean {
    return this.#processed.offset < durable.offset && this.#cutting === null && !this.#isBlocked()
  }

  /**
   * Processes about `sliceBytes` of durable input and writes its outputs.
   *
   * @throws {FrameFailure} When the operator threw; `locate` then finds the record.
   * @throws {DiskFullError | DiskFailedError | LogCorruptError} See H4.
   */
  step(durable: LogPosition): void {
    const operator = this.#operator
    const cursor = this.#cursor
    assert(cursor !== null, 'a host is started before it steps')
    assert(this.#cutting === null, 'nothing is processed while a snapshot is cut (H3)')
    this.#isBetweenRecords = false
    this.#options.onPhase?.('processing', 'begin', this.partition)
    let byteLength = 0
    while (byteLength < limits.sliceBytes) {
      const frame = cursor.next(durable)
      if (frame === null) break
      const { baseOffset, recordCount, appendTimeMs } = frame.header
      this.#appendTimeMs = Math.max(this.#appendTimeMs, appendTimeMs)
      this.#fed.push({ endOffset: baseOffset + recordCount, appendTimeMs: this.#appendTimeMs })
      this.#guard(frame, () => feedFrame(operator, frame, this.#options.models))
      byteLength += frame.endBytes - frame.startBytes
    }
    this.#guard(null, () => operator.flush())
    for (const log of this.#outputs.values()) log.write()
    this.#fed.length = 0
    this.#processed = cursor.position
    this.#isBetweenRecords = true
    this.#options.onPhase?.('processing', 'end', this.partition)
  }

  /** Whether the disk failed an output, so that nothing more can be written until another host takes over (H4). */
  get failed(): boolean {
    return [...this.#outputs.values()].some((log) => log.failed)
  }

  /** Sets which topics subscribers are told of. */
  tell(topics: readonly OutputTopic[]): void {
    for (const [topic, log] of this.#outputs) log.telling = topics.includes(topic)
  }

  /**
   * Begins the syncs that are due: of alerts and topics that are told at once, of others when much has gathered.
   * After each, `onSynced` gets what subscribers are to be told; `onFailure` gets what a sync threw (H4).
   */
  syncDue(onSynced: (topic: OutputTopic, records: ToldRecord[]) => void, onFailure: (error: unknown) => void): void {
    for (const [topic, log] of this.#outputs) {
      const prompt = topic === 'alert-signals' || log.telling
      if (log.syncing || log.failed || log.unsyncedBytes < (prompt ? 1 : limits.outputUnsyncedBytesMax)) continue
      log.sync().then(() => {
        log.measureDurable(this.#options.clock.nowMs(), this.#options.alertLatency)
        onSynced(topic, log.takeDurable())
      }, onFailure)
    }
  }

  /** Resolves when every output written before the call is durable. */
  async syncOutputs(): Promise<void> {
    await Promise.all([...this.#outputs.values()].map((log) => log.sync()))
  }

  /** Whether a snapshot would hold anything that the newest does not. */
  get isSnapshotDue(): boolean {
    return this.#snapshotting === null && this.#processed.offset > this.#snapshotOffset
  }

  /**
   * Takes a snapshot of everything processed by the time it is cut; processing goes on before and after that (H3). Joins one
   * that is under way.
   *
   * @param onCut Told when processing may go on.
   * @throws {DiskFullError | DiskFailedError} The one before stays in force, and the next attempt takes everything along.
   */
  snapshot(onCut: () => void): Promise<SavedSnapshot> {
    this.#snapshotting ??= this.#takeSnapshot(onCut).finally(() => {
      this.#snapshotting = null
    })
    return this.#snapshotting
  }

  /** Resolves when no snapshot is being cut: what there is to process is then processed. */
  async cutSettled(): Promise<void> {
    await this.#cutting
  }

  /** Resolves when no snapshot is under way. */
  async snapshotSettled(): Promise<void> {
    await this.#snapshotting?.catch(() => undefined)
  }

  /** After a failure: cuts the outputs back to what is durable, so that the next host finds nothing doubtful (H4). */
  recoverOutputs(): void {
    for (const log of this.#outputs.values()) log.recover()
  }

  close(): void {
    this.#cursor?.close()
    for (const log of this.#outputs.values()) log.close()
    this.#outputs.clear()
  }

  readonly #sink: OutputSink = {
    emit: (topic, deviceId, inputOffset, line) => {
      const log = this.#outputs.get(topic)
      assert(log !== undefined, 'operators emit after the host is started')
      try {
        log.add(deviceId, inputOffset, line, this.#appendTimeOf(inputOffset))
      } catch (error) {
        this.#sinkError = error
        throw error
      }
    },
  }

  /**
   * Append time of a record of the step at hand. Outputs are held back and given together: that of the newest input would hang on how
   * much was processed at once (H5).
   */
  #appendTimeOf(inputOffset: number): number {
    let [low, high] = [0, this.#fed.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#fed[middle] as { readonly endOffset: number }).endOffset <= inputOffset) low = middle + 1
      else high = middle
    }
    return this.#fed[low]?.appendTimeMs ?? this.#appendTimeMs
  }

  async #takeSnapshot(onCut: () => void): Promise<SavedSnapshot> {
    const taker = new StateTaker(this.#operator, (entries) => this.#store.keep(entries))
    this.#options.onPhase?.('snapshot', 'begin', this.partition)
    try {
      await taker.takeAhead(() => this.#isBetweenRecords)
      const cut = await this.#takeCut(taker, onCut)
      await this.syncOutputs()
      const saved = await this.#store.save(cut)
      this.#snapshotOffset = cut.input.offset
      return saved
    } finally {
      this.#options.onPhase?.('snapshot', 'end', this.partition)
    }
  }

  /** @throws {DiskFailedError} When the partition failed meanwhile: another host takes its place (H4). */
  async #takeCut(taker: StateTaker, onCut: () => void): Promise<SnapshotCut> {
    if (!this.#isBetweenRecords)
      throw new DiskFailedError('Cannot take a snapshot as the partition must be processed: the disk failed it')
    const operator = this.#operator
    const cut = { ...this.#cut(), shared: operator.takeShared(), deviceCount: operator.deviceCount }
    const cutting = taker.takeRest()
    this.#cutting = cutting
    try {
      await cutting
    } finally {
      this.#cutting = null
      onCut()
    }
    return cut
  }

  /** Where a snapshot taken now stands, without any state. */
  #cut(): SnapshotCut {
    const { identity, clock } = this.#options
    return {
      identity,
      savedAtMs: clock.nowMs(),
      input: this.#processed,
      outputs: Object.fromEntries([...this.#outputs].map(([topic, log]) => [topic, log.end.offset])),
      shared: null,
      deviceCount: 0,
    }
  }

  #guard(frame: Frame | null, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (this.#sinkError !== null) throw this.#sinkError
      const sliceStart = this.#processed.offset
      const frameStart = frame?.header.baseOffset ?? sliceStart
      throw new FrameFailure(error, { kind: frame?.header.kind ?? null, frameStart, sliceStart })
    }
  }

  #isBlocked(): boolean {
    return [...this.#outputs.values()].some((log) => log.unsyncedBytes > 4 * limits.outputUnsyncedBytesMax)
  }

  #requireLoaded(): LoadedSnapshot {
    assert(this.#loaded !== null, 'a host is prepared before it is used')
    return this.#loaded
  }

  get #operator(): PartitionOperator {
    return this.#requireLoaded().operator
  }
}

/** What an operator threw, and in which frame; `kind` is `null` when it was in `flush`. */
export class FrameFailure extends Error {
  readonly kind: FrameKind | null
  /** Offset of the first record of the frame. */
  readonly frameStart: number
  /** Offset of the first record since the last flush: operators batch, so the cause may be in an earlier frame. */
  readonly sliceStart: number

  constructor(cause: unknown, place: { kind: FrameKind | null; frameStart: number; sliceStart: number }) {
    super('the operator threw', { cause })
    this.kind = place.kind
    this.frameStart = place.frameStart
    this.sliceStart = place.sliceStart
  }
}

/** Makes the operator of a partition; it emits to `sink` from the time it is given records. */
export type CreateOperator = (partition: number, sink: OutputSink) => PartitionOperator | Promise<PartitionOperator>

export interface PartitionHostOptions {
  readonly disk: Disk
  /** The data folder. */
  readonly directory: string
  readonly partition: number
  readonly identity: string
  readonly segmentBytesMax: number
  readonly clock: Clock
  readonly createOperator: CreateOperator
  readonly models: ModelCache
  readonly onPhase: OnPhase | null
  /** Of each result on `alert-signals`: from the append of the record that closed its window until it is durable. */
  readonly alertLatency: DurationHistogram
}

/** What was found of a partition before anything was changed. */
export interface PreparedPartition {
  readonly partition: number
  /** Offset before which every input record was durable: the log must reach it. */
  readonly inputNeeded: number
  /** Sequence of the snapshot found; `null` when there is none. */
  readonly snapshot: number | null
  /** Identity of the snapshot where it is another one, so that its state is not used. */
  readonly previousIdentity: string | null
  /** Why a newer snapshot could not be used. */
  readonly snapshotDamage: string | null
  readonly tornOutputBytes: number
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
