import { assert, type Clock, type Disk, DurationHistogram } from '@millwright/core'
import { modelsDirectory } from './data-folder.ts'
import { errorToData, isRetriable } from './errors.ts'
import { placeFailure } from './failure-place.ts'
import { type LoadModel, ModelCache } from './model-cache.ts'
import { ModelStore } from './model-store.ts'
import { type CreateOperator, FrameFailure, type PartitionHost } from './partition-host.ts'
import { PartitionSlot } from './partition-slot.ts'
import type { OnPhase } from './phases.ts'
import type {
  FromRunner,
  PartitionProgress,
  PartitionStart,
  RunnerSetup,
  SnapshotReport,
  ToRunner,
} from './runner-messages.ts'

/**
 * Runs the partitions of one thread: gives each its turn, syncs what is due, takes snapshots, starts a partition anew
 * when the disk failed it.
 *
 * R1. One step at a time, and a turn of the event loop between two, so that messages, syncs and slices of snapshots get
 *     theirs.
 * R2. A partition that the disk failed waits and is opened anew. Any other failure stops the whole runner, which then
 *     writes nothing more.
 */
export class PartitionRunner {
  readonly #setup: RunnerSetup
  readonly #environment: RunnerEnvironment
  readonly #slots: readonly PartitionSlot[]
  readonly #snapshotAtMs = new Map<PartitionSlot, number>()
  readonly #reportedAtMs = new Map<PartitionSlot, number>()
  #drains: { readonly id: number; readonly through: ReadonlyMap<number, number> }[] = []
  #pumping: Promise<void> | null = null
  #again = false
  #stopped = false
  #processUntilMs = Number.POSITIVE_INFINITY

  constructor(setup: RunnerSetup, environment: RunnerEnvironment) {
    this.#setup = setup
    this.#environment = environment
    const { disk, clock, createOperator, onPhase } = environment
    const { directory, identity, segmentBytesMax, partitions } = setup
    const models = new ModelCache(new ModelStore(disk, modelsDirectory(directory)), environment.loadModel)
    const common = { disk, directory, identity, segmentBytesMax, clock, createOperator, models, onPhase }
    this.#slots = partitions.map((partition) => {
      // Beside its host, which another takes the place of when the disk fails it.
      const alertLatency = new DurationHistogram(alertLatencyBoundsMs)
      return new PartitionSlot({ ...common, partition, alertLatency })
    })
    const now = environment.elapsedMs()
    // Snapshots of the partitions of a thread are spread over the interval.
    for (const [index, slot] of this.#slots.entries())
      this.#snapshotAtMs.set(slot, now + (setup.snapshotEveryMs * (index + 1)) / partitions.length)
  }

  /** Takes one message; what goes wrong is answered as `failed`. */
  async receive(message: ToRunner): Promise<void> {
    try {
      await this.#receive(message)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Does what time asks for: snapshots, and partitions that wait for the disk. To be called several times a second. */
  tick(): void {
    const now = this.#environment.elapsedMs()
    for (const slot of this.#slots) {
      if (this.#stopped) return
      if (slot.isRetryDue(now)) this.#orFail(this.#retry(slot))
      if (slot.host !== null && now >= (this.#snapshotAtMs.get(slot) ?? 0)) this.#orFail(this.#snapshot(slot))
    }
  }

  async #receive(message: ToRunner): Promise<void> {
    switch (message.kind) {
      case 'prepare':
        this.#send({ kind: 'prepared', partitions: await Promise.all(this.#slots.map((slot) => slot.prepare())) })
        return
      case 'start':
        await this.#start(message.partitions)
        return
      case 'durable':
        this.#slot(message.partition).durable = message.position
        this.#pump()
        return
      case 'tell':
        for (const slot of this.#slots) slot.tell(message.topics)
        return
      case 'drain': {
        const through = new Map(this.#slots.map(({ partition, durable }) => [partition, durable.offset]))
        this.#drains.push({ id: message.id, through })
        this.#pump()
        return
      }
      case 'snapshot':
        await this.#snapshotNow()
        this.#send({ kind: 'snapshot-done', id: message.id })
        return
      case 'close':
        await this.#close(message.processMs)
    }
  }

  async #start(partitions: readonly PartitionStart[]): Promise<void> {
    for (const { partition, inputNeeded, durable } of partitions)
      await this.#slot(partition).start(inputNeeded, durable)
    this.#send({
      kind: 'started',
      partitions: this.#slots.flatMap((slot) => (slot.host === null ? [] : [progressOf(slot.host)])),
    })
    this.#pump()
  }

  /** Gives each partition its turns until none has anything to do. */
  #pump(): void {
    this.#again = true
    if (this.#pumping !== null || this.#stopped) return
    this.#pumping = this.#turnsWhileAsked()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pumping = null
      })
  }

  async #turnsWhileAsked(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false
      await this.#turns()
      for (const slot of this.#slots) this.#report(slot, true)
      await this.#answerDrains()
    }
  }

  async #turns(): Promise<void> {
    for (let busy = true; busy; ) {
      busy = false
      for (const slot of this.#slots) {
        if (this.#stopped || this.#environment.elapsedMs() >= this.#processUntilMs) return
        if (!slot.hasWork) continue
        busy = true
        await this.#step(slot)
        // R1.
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }

  async #step(slot: PartitionSlot): Promise<void> {
    const { host } = slot
    if (host === null) return
    try {
      host.step(slot.durable)
    } catch (error) {
      if (error instanceof FrameFailure) throw await placeFailure(slot.options, error, slot.durable)
      if (!isRetriable(error)) throw error
      this.#suspend(slot, host, error)
      return
    }
    slot.wentWell()
    this.#syncDue(slot, host)
    this.#report(slot, false)
  }

  #syncDue(slot: PartitionSlot, host: PartitionHost): void {
    if (slot.host !== host || this.#stopped) return
    host.syncDue(
      (topic, records) => {
        if (records.length > 0) this.#send({ kind: 'records', topic, partition: slot.partition, records })
        // More may have been written meanwhile, and the partition may have waited for this.
        this.#syncDue(slot, host)
        this.#pump()
      },
      (error) => this.#suspend(slot, host, error),
    )
  }

  /** Tells where a partition stands: at most ten times a second while it is busy, and when it has nothing more to do. */
  #report(slot: PartitionSlot, done: boolean): void {
    if (slot.host === null) return
    const now = this.#environment.elapsedMs()
    if (!done && now - (this.#reportedAtMs.get(slot) ?? 0) < 100) return
    this.#reportedAtMs.set(slot, now)
    this.#send({ kind: 'progress', progress: progressOf(slot.host) })
  }

  async #answerDrains(): Promise<void> {
    for (const drain of [...this.#drains]) {
      const isThrough = this.#slots.every(
        ({ partition, host }) => host !== null && host.processed.offset >= (drain.through.get(partition) ?? 0),
      )
      if (!isThrough) continue
      try {
        await Promise.all(this.#slots.map(({ host }) => host?.syncOutputs()))
      } catch (error) {
        if (!isRetriable(error)) throw error
        // The partition is opened anew and processes again; then the drain is looked at again.
        for (const slot of this.#slots) if (slot.host?.failed) this.#suspend(slot, slot.host, error)
        return
      }
      this.#drains = this.#drains.filter((other) => other !== drain)
      this.#send({ kind: 'drained', id: drain.id })
    }
  }

  /** Takes a snapshot of each partition as it is now, after one that may be under way. */
  async #snapshotNow(): Promise<void> {
    await Promise.all(
      this.#slots.map(async (slot) => {
        await slot.host?.snapshotSettled()
        await this.#snapshot(slot)
      }),
    )
  }

  async #snapshot(slot: PartitionSlot): Promise<void> {
    const { host } = slot
    const { elapsedMs, clock } = this.#environment
    const startedMs = elapsedMs()
    this.#snapshotAtMs.set(slot, startedMs + this.#setup.snapshotEveryMs)
    if (host === null || host.failed || !host.isSnapshotDue) return
    const report = (rest: Pick<SnapshotReport, 'byteLength' | 'writtenBytes' | 'savedAtMs' | 'error'>): void => {
      const { neededFrom, neededModels } = host
      const durationMs = elapsedMs() - startedMs
      this.#send({
        kind: 'snapshot',
        report: { partition: slot.partition, neededFrom, neededModels, durationMs, ...rest },
      })
    }
    try {
      const saved = await host.snapshot(() => this.#pump())
      report({ ...saved, savedAtMs: clock.nowMs(), error: null })
    } catch (error) {
      if (!isRetriable(error)) throw error
      report({ byteLength: 0, writtenBytes: 0, savedAtMs: 0, error: errorToData(error) })
      if (host.failed) this.#suspend(slot, host, error)
    }
  }

  #suspend(slot: PartitionSlot, host: PartitionHost, error: unknown): void {
    if (this.#stopped || !slot.suspend(host, this.#environment.elapsedMs())) return
    this.#send({ kind: 'stalled', partition: slot.partition, error: errorToData(error) })
  }

  async #retry(slot: PartitionSlot): Promise<void> {
    try {
      await slot.retry(this.#environment.elapsedMs())
    } catch (error) {
      if (!isRetriable(error)) throw error
      return
    }
    this.#send({ kind: 'stalled', partition: slot.partition, error: null })
    this.#pump()
  }

  async #close(processMs: number): Promise<void> {
    this.#processUntilMs = this.#environment.elapsedMs() + processMs
    for (const { host } of this.#slots) await host?.cutSettled()
    this.#pump()
    await this.#pumping
    if (!this.#stopped) await this.#snapshotNow()
    this.#stopped = true
    for (const slot of this.#slots) await slot.close()
    this.#send({ kind: 'closed' })
  }

  /** R2. */
  #fail(error: unknown): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#send({ kind: 'failed', error: errorToData(error) })
  }

  #orFail(work: Promise<void>): void {
    work.catch((error: unknown) => this.#fail(error))
  }

  #slot(partition: number): PartitionSlot {
    const slot = this.#slots.find((candidate) => candidate.partition === partition)
    assert(slot !== undefined, 'messages go to the runner of their partition')
    return slot
  }

  #send(message: FromRunner): void {
    this.#environment.send(message)
  }
}

/** A busy plant takes milliseconds; one that works off what came while it was down, minutes. */
const alertLatencyBoundsMs = [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000]

/** What a runner needs of its thread. */
export interface RunnerEnvironment {
  readonly disk: Disk
  readonly clock: Clock
  /** Milliseconds of a clock that never falls. */
  readonly elapsedMs: () => number
  readonly createOperator: CreateOperator
  readonly loadModel: LoadModel
  readonly onPhase: OnPhase | null
  readonly send: (message: FromRunner) => void
}

function progressOf(host: PartitionHost): PartitionProgress {
  const { partition, processed, counters, deviceCount, suppressedCount, neededFrom, neededModels, alertLatency } = host
  return {
    partition,
    processed,
    counters: { ...counters },
    deviceCount,
    suppressedCount,
    neededFrom,
    neededModels,
    alertLatency,
  }
}
