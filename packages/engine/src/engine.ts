import {
  assert,
  type CaseCommandPort,
  type CaseLine,
  type DurationHistogram,
  type FeedbackBatch,
  type FeedbackLine,
  type FeedbackPort,
  type IngestPort,
  type MillwrightError,
  type OutputTopic,
  type PartitionLines,
  type SourceMark,
} from '@millwright/core'
import type { CaseLog } from './case-log.ts'
import { removeEngineInfo, writeEngineInfo } from './data-folder.ts'
import type { ResolvedOptions } from './engine-options.ts'
import type { EngineStats } from './engine-stats.ts'
import { BusyError, DiskFullError, EngineClosedError } from './errors.ts'
import type { FeedbackLog } from './feedback-log.ts'
import type { FreeSpace } from './free-space.ts'
import type { SeenActivation } from './input-state.ts'
import type { ModelPublisher } from './model-publisher.ts'
import type { ModelUpdates, PublishedModel } from './model-updates.ts'
import type { PartitionInput } from './partition-input.ts'
import type { ProgressBoard } from './progress-board.ts'
import type { RecoveryReport } from './recovery-report.ts'
import type { Retainer } from './retainer.ts'
import type { Runners } from './runners.ts'
import { SourceTracker } from './source-tracker.ts'
import type { OutputListener, Subscriptions } from './subscriptions.ts'

/**
 * The engine of a plant on one machine, open: takes records in, has them processed, tells what came out.
 *
 * E1. `append` resolves after every line of the call is on stable storage, and rejects otherwise.
 * E2. After a failure of an operator nothing more is accepted or processed; what was accepted stays in the log.
 * E3. `close` ends within five seconds; what it does not finish is finished by the next start.
 */
export class Engine implements IngestPort, FeedbackPort, CaseCommandPort {
  /** What was found at opening. */
  readonly recovery: RecoveryReport
  readonly #parts: EngineParts
  readonly #options: ResolvedOptions
  readonly #inputs: readonly PartitionInput[]
  readonly #sources: SourceTracker
  readonly #startedAtMs: number
  #waitingForRoom: {
    readonly byteLength: number
    readonly resolve: () => void
    readonly reject: (error: Error) => void
  }[] = []
  #open = true
  #failure: Error | null = null
  #ending: Promise<void> | null = null
  #ticking: NodeJS.Timeout | null = null
  #retainAtMs: number
  /** When a snapshot is to be taken because somebody waits for it; `null`: nobody does. */
  #snapshotAtMs: number | null = null
  #hurriedAtMs = Number.NEGATIVE_INFINITY
  #pendingAppends = 0
  #appendedRecords = 0
  #appendedBytes = 0
  #suppressedLines = 0
  #refusedBusy = 0
  #refusedDiskFull = 0

  /** To be had from `openEngine`. */
  constructor(parts: EngineParts) {
    const { options, inputs } = parts
    this.recovery = parts.recovery
    this.#parts = parts
    this.#options = options
    this.#inputs = inputs
    this.#startedAtMs = options.clock.nowMs()
    this.#sources = new SourceTracker((id) => Math.max(...inputs.map(({ state }) => state.sourceAcknowledged(id))))
    this.#retainAtMs = options.elapsedMs() + options.retentionEveryMs
    if (options.ticks === 'timer') this.#ticking = setInterval(() => this.tick(), tickMs)
  }

  /**
   * Puts records into the log of their partitions; resolves when all of them are on stable storage. The memory of the
   * parts may be used again as soon as the call has returned.
   *
   * @param source For a source that can resume: its lines at or before what a partition has are not entered again.
   * @throws {BusyError | DiskFullError} `retry: 'later'`; nothing was accepted.
   * @throws {DiskFailedError | DiskFullError} Also when the disk failed half way: then some partitions may have their
   *   lines. A resumable source goes on from `sourcePosition` without a duplicate; what another source sends again is
   *   recognised by the operators as a redelivery.
   * @throws {SourceInterruptedError} After a failed append of this source, until `sourcePosition` is called.
   * @throws {EngineClosedError}
   */
  async append(
    topic: 'sensor-data' | 'device-events',
    parts: readonly PartitionLines[],
    source?: SourceMark,
  ): Promise<void> {
    this.#requireOpen()
    // Before anything can refuse it: what follows a refused append of the same source would leave a gap.
    const settleSource = source === undefined ? null : this.#sources.begin(source.id, source.position)
    this.#pendingAppends += 1
    try {
      this.#admit(parts.reduce((sum, { lines }) => sum + lines.length, 0))
      for (const { partition } of parts) this.#input(partition).requireWritable()
      await Promise.all(parts.map((part) => this.#stage(topic, part, source)))
      settleSource?.(true)
    } catch (error) {
      settleSource?.(false)
      if (!(error instanceof BusyError)) this.#parts.space.forget()
      throw error
    } finally {
      this.#pendingAppends -= 1
      this.#letIn()
    }
  }

  /**
   * Puts verdicts, and what was refused as one, into their logs; resolves when all of it is on stable storage. They are no input of
   * the operators. Time in every partition then goes on past them, so that who reads by append time need not wait.
   *
   * @throws {DiskFullError | DiskFailedError} Some of it may be there; sent again, it is known by its ids and revisions.
   * @throws {EngineClosedError}
   */
  async appendFeedback(batch: FeedbackBatch): Promise<void> {
    await this.#appendBeside([...batch.accepted, ...batch.refused], (nowMs, inputTimeMs) =>
      this.#parts.feedback.append(batch, nowMs, inputTimeMs),
    )
    if (this.#open) for (const input of this.#inputs) input.heartbeat()
  }

  /**
   * Puts commands to cases into their log; resolves when all of it is on stable storage. As they are a person's, who waits for what becomes of
   * them, time in every partition goes on past them at once, and a snapshot soon says so.
   *
   * @throws {DiskFullError | DiskFailedError} Some of it may be there; sent again, it is known by its ids.
   * @throws {EngineClosedError}
   */
  async appendCaseCommands(commands: readonly FeedbackLine[]): Promise<void> {
    await this.#appendBeside(commands, (nowMs, inputTimeMs) =>
      this.#parts.feedback.appendCommands(commands, nowMs, inputTimeMs),
    )
    if (!this.#open) return
    for (const input of this.#inputs) input.heartbeat()
    this.#snapshotAtMs ??= Math.max(this.#options.elapsedMs(), this.#hurriedAtMs + hurryEveryMs)
  }

  /**
   * Puts messages onto the topic `cases`, those that are not there yet, and first what goes to `maintenance-feedback` because of them; resolves when
   * all of it is on stable storage. One call at a time.
   *
   * @param messages In the order of their marks; from wherever the fold began.
   * @throws {DiskFullError | DiskFailedError} To be called with the same ones again. Verdicts may then be there twice, and are known by their revisions.
   * @throws {EngineClosedError}
   */
  async appendCases(messages: readonly CaseLine[]): Promise<void> {
    this.#requireOpen()
    const { cases } = this.#parts
    const missing = cases.missing(messages)
    if (missing.length === 0) return
    const verdicts = missing.flatMap(({ feedback }) => (feedback === null ? [] : [feedback]))
    if (verdicts.length > 0) await this.appendFeedback({ accepted: verdicts, refused: [] })
    await this.#appendBeside(missing, () => cases.append(missing))
  }

  /**
   * Resolves when an append of so many bytes would be let in. Those who wait are told in order, so that a large one is not passed
   * for ever by small ones.
   *
   * @throws {EngineClosedError}
   */
  async ready(byteLength = 1): Promise<void> {
    this.#requireOpen()
    if (this.#waitingForRoom.length === 0 && this.#hasRoom(byteLength) && !this.#parts.space.isFull) return
    await new Promise<void>((resolve, reject) => this.#waitingForRoom.push({ byteLength, resolve, reject }))
  }

  /**
   * Returns where a resumable source goes on: every line before was acknowledged. 0 for a source that is not known.
   * To be asked at its start, and after an append of it failed.
   */
  sourcePosition(id: string): number {
    return this.#sources.resume(id)
  }

  /**
   * Puts a model in force: checks the package, stores it, writes the update, and activates it at one place in each
   * partition's log. Resolves when every partition has it on stable storage.
   *
   * @param options.activeFromMs Append-time scale; default one second from now, so that all partitions have it in time.
   * @throws {ModelRefusedError} Or what `validateModel` throws: nothing has changed.
   * @throws {DiskFullError | DiskFailedError} Nothing is published, but where the failure came after the update was
   *   written: then it is activated as soon as the disk works, and `listModels` shows it.
   */
  async publish(packageBytes: Uint8Array, options: { readonly activeFromMs?: number } = {}): Promise<PublishedModel> {
    this.#requireOpen()
    return await this.#parts.publisher.publish(packageBytes, options.activeFromMs)
  }

  /**
   * Publishes the model again that was in force before the newest one.
   *
   * @throws {NoPreviousModelError}
   * @throws {ModelMissingError} When its package is no longer stored.
   */
  async rollback(): Promise<PublishedModel> {
    this.#requireOpen()
    return await this.#parts.publisher.rollback()
  }

  /** Everything published, oldest first; a rollback is a publication of its own. */
  listModels(): readonly PublishedModel[] {
    return this.#parts.publisher.published
  }

  /**
   * What each partition's log has of what was published: the activation in force at its last append time, and those to come, in
   * the order seen. Which of them a plan of today takes is not for the engine to say.
   */
  activations(): readonly (readonly SeenActivation[])[] {
    return this.#inputs.map(({ state }) => state.activations)
  }

  /**
   * Calls `listener` with the records of an output topic that come from now on, in order per partition, each after it is
   * on stable storage, once. What was written while nobody listened, a reader of the topic finds.
   *
   * @returns What ends the subscription.
   */
  subscribe(topic: OutputTopic, listener: OutputListener): () => void {
    const { subscriptions, runners } = this.#parts
    const remove = subscriptions.add(topic, listener)
    runners.tell(subscriptions.topics)
    return () => {
      remove()
      runners.tell(subscriptions.topics)
    }
  }

  /** Resolves when everything appended so far is processed and all its outputs are on stable storage. */
  async drained(): Promise<void> {
    this.#requireOpen()
    await Promise.all(this.#inputs.map((input) => input.idle()))
    await this.#parts.runners.drain()
  }

  /** Takes a snapshot of every partition now; resolves when each is durable or has failed, which `stats` counts. */
  async snapshot(): Promise<void> {
    this.#requireOpen()
    await this.#parts.runners.snapshot()
  }

  /** Removes what need not be kept; done by itself every `retentionEveryMs`. @throws {DiskFailedError} */
  async retain(): Promise<void> {
    this.#requireOpen()
    await this.#parts.retainer.run()
  }

  /** Writes the port that other commands reach this plant by. */
  setHttpPort(httpPort: number | null): void {
    const { disk, directory } = this.#options
    writeEngineInfo(disk, directory, { pid: process.pid, httpPort, startedAtMs: this.#startedAtMs })
  }

  /** Why the plant stopped by itself; `null` when it did not. */
  get failure(): Error | null {
    return this.#failure
  }

  /** Does what time asks for. Called by itself unless `ticks` is `manual`. */
  tick(): void {
    if (!this.#open) return
    this.#hurry()
    for (const input of this.#inputs) input.heartbeatIfDue(this.#options.heartbeatEveryMs)
    this.#parts.runners.tick()
    this.#letIn()
    // What still fails is tried again at the next tick.
    this.#parts.publisher.activateMissing().catch(() => undefined)
    if (this.#options.elapsedMs() < this.#retainAtMs) return
    this.#retainAtMs = this.#options.elapsedMs() + this.#options.retentionEveryMs
    // A file that cannot be removed now is tried again next time.
    this.#parts.retainer.run().catch(() => undefined)
  }

  stats(): EngineStats {
    const { board, commits, retainer, space } = this.#parts
    const partitions = this.#inputs.map((input) => board.partitionStats(input))
    const appendTimeMs = Math.max(...partitions.map((partition) => partition.appendTimeMs))
    return {
      partitions,
      counters: board.counters,
      unsyncedBytes: this.#unsyncedBytes(),
      backlogBytes: this.#backlogBytes(),
      pendingAppends: this.#pendingAppends,
      commit: commits.read(),
      alertLatency: board.alertLatency,
      appendedRecords: this.#appendedRecords,
      appendedBytes: this.#appendedBytes,
      suppressedLines: this.#suppressedLines,
      refusedBusy: this.#refusedBusy,
      refusedDiskFull: this.#refusedDiskFull,
      forgottenSources: this.#inputs.reduce((sum, { state }) => sum + state.forgottenSources, 0),
      ...retainer.stats,
      diskFreeBytes: space.freeBytes,
      clockBehindMs: Math.max(0, appendTimeMs - this.#options.clock.nowMs()),
    }
  }

  /** Stops taking records, finishes or saves what was taken, gives the folder back (E3). Later calls wait for the first. */
  async close(): Promise<void> {
    this.#ending ??= this.#end(closeProcessMs)
    await this.#ending
  }

  /** The runners have processed or synced something. */
  onProgress(): void {
    this.#letIn()
  }

  /** The runners have stopped (E2). */
  onFailed(error: Error): void {
    if (this.#failure !== null || this.#ending !== null) return
    this.#failure = error
    this.#ending = this.#end(0)
    void this.#ending.then(() => this.#options.onFailure?.(error))
  }

  /** Resolves when the lines of one partition are durable. */
  #stage(topic: 'sensor-data' | 'device-events', part: PartitionLines, source: SourceMark | undefined): Promise<void> {
    const kind = topic === 'sensor-data' ? 'readings' : 'device-events'
    const lineSource =
      source === undefined
        ? null
        : {
            id: source.id,
            position: source.position,
            linePositions: part.linePositions ?? null,
            acknowledged: this.#sources.acknowledged(source.id),
          }
    return new Promise((resolve, reject) => {
      const settle = (error: MillwrightError | null): void => (error === null ? resolve() : reject(error))
      const lines = { bytes: part.lines, lineCount: part.lineCount, source: lineSource }
      const suppressed = this.#input(part.partition).stageLines(kind, lines, settle)
      this.#suppressedLines += suppressed
      this.#appendedRecords += part.lineCount - suppressed
      this.#appendedBytes += part.lines.length
    })
  }

  /** Writes what is no input of the operators. */
  async #appendBeside(
    lines: readonly { readonly line: string }[],
    write: (nowMs: number, inputTimeMs: number) => Promise<void>,
  ): Promise<void> {
    this.#requireOpen()
    this.#pendingAppends += 1
    try {
      this.#admitSpace(lines.reduce((sum, { line }) => sum + line.length, 0))
      await write(this.#options.clock.nowMs(), Math.max(...this.#inputs.map(({ appendTimeMs }) => appendTimeMs)))
    } catch (error) {
      this.#parts.space.forget()
      throw error
    } finally {
      this.#pendingAppends -= 1
    }
  }

  /** Takes the snapshot that somebody waits for: readers by append time may then go on past what was written beside the input. */
  #hurry(): void {
    const nowMs = this.#options.elapsedMs()
    if (this.#snapshotAtMs === null || nowMs < this.#snapshotAtMs) return
    this.#snapshotAtMs = null
    this.#hurriedAtMs = nowMs
    // One that fails is counted, and the next regular one does as well.
    this.#parts.runners.snapshot().catch(() => undefined)
  }

  /** @throws {BusyError | DiskFullError} */
  #admit(byteLength: number): void {
    if (!this.#hasRoom(byteLength)) {
      this.#refusedBusy += 1
      throw new BusyError(
        'Cannot append as too much waits to be synced or processed: try again when the plant is ready',
        {
          details: { unsyncedBytes: this.#unsyncedBytes(), backlogBytes: this.#backlogBytes() },
        },
      )
    }
    this.#admitSpace(byteLength)
  }

  /** @throws {DiskFullError} */
  #admitSpace(byteLength: number): void {
    try {
      this.#parts.space.admit(byteLength)
    } catch (error) {
      if (error instanceof DiskFullError) this.#refusedDiskFull += 1
      throw error
    }
  }

  /** One append is let in whatever its size where nothing waits. */
  #hasRoom(byteLength: number): boolean {
    const unsyncedBytes = this.#unsyncedBytes()
    if (unsyncedBytes > 0 && unsyncedBytes + byteLength > this.#options.unsyncedBytesMax) return false
    return this.#backlogBytes() <= this.#options.backlogBytesMax
  }

  #letIn(): void {
    if (this.#waitingForRoom.length === 0 || this.#parts.space.isFull) return
    let letIn = 0
    let byteLength = 0
    for (const waiting of this.#waitingForRoom) {
      byteLength += waiting.byteLength
      // Whoever is told appends a moment later: what those told before it will bring counts as there.
      if (!this.#hasRoom(byteLength) || (letIn > 0 && byteLength > this.#options.unsyncedBytesMax)) break
      letIn += 1
    }
    for (const { resolve } of this.#waitingForRoom.splice(0, letIn)) resolve()
  }

  #unsyncedBytes(): number {
    return this.#inputs.reduce((sum, input) => sum + input.unsyncedBytes, 0)
  }

  #backlogBytes(): number {
    return this.#inputs.reduce((sum, input) => sum + this.#parts.board.lagBytes(input), 0)
  }

  #input(partition: number): PartitionInput {
    const input = this.#inputs[partition]
    assert(input !== undefined, `a partition is 0..${this.#inputs.length - 1}`)
    return input
  }

  #requireOpen(): void {
    if (this.#open && this.#failure === null) return
    const why = this.#failure === null ? 'The engine is closed' : `The engine has stopped: ${this.#failure.message}`
    throw new EngineClosedError(why, { cause: this.#failure ?? undefined })
  }

  async #end(processMs: number): Promise<void> {
    const deadlineMs = performance.now() + closeWithinMs
    const { cases, feedback, publisher, retainer, runners, updates, unlock } = this.#parts
    this.#open = false
    if (this.#ticking !== null) clearInterval(this.#ticking)
    const waiting = this.#waitingForRoom
    this.#waitingForRoom = []
    for (const { reject } of waiting) reject(new EngineClosedError('The engine was closed'))
    await publisher.settled()
    await retainer.settled()
    for (const input of this.#inputs) await input.idle()
    // The next start then knows where sources stand without the frames in which they were acknowledged.
    for (const input of this.#inputs) input.stageState((id) => this.#sources.acknowledged(id))
    for (const input of this.#inputs) await input.idle()
    await runners.close(processMs, Math.max(0, deadlineMs - performance.now()))
    for (const input of this.#inputs) input.close()
    updates.close()
    feedback.close()
    cases.close()
    removeEngineInfo(this.#options.disk, this.#options.directory)
    unlock()
  }
}

/** What `openEngine` puts together. */
export interface EngineParts {
  readonly options: ResolvedOptions
  readonly recovery: RecoveryReport
  readonly inputs: readonly PartitionInput[]
  readonly updates: ModelUpdates
  readonly feedback: FeedbackLog
  readonly cases: CaseLog
  readonly publisher: ModelPublisher
  readonly retainer: Retainer
  readonly runners: Runners
  readonly subscriptions: Subscriptions
  readonly board: ProgressBoard
  readonly space: FreeSpace
  readonly commits: DurationHistogram
  readonly unlock: () => void
}

const tickMs = 100
/** Between two snapshots that are taken because somebody waits. */
const hurryEveryMs = 2000
/** Of the five seconds of E3: for the backlog, and for everything until the files are given back. */
const closeProcessMs = 1500
const closeWithinMs = 4500
