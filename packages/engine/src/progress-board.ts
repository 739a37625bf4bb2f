import type { Clock, DurationCounts, OperatorCounters } from '@millwright/core'
import { type PartitionStats, type SnapshotStats, sumCounters } from './engine-stats.ts'
import type { PartitionInput } from './partition-input.ts'
import type { PartitionProgress, SnapshotReport } from './runner-messages.ts'

/** What the runners have told of their partitions, at most a tenth of a second ago. */
export class ProgressBoard {
  readonly #clock: Clock
  readonly #progress = new Map<number, PartitionProgress>()
  readonly #snapshots = new Map<number, Snapshots>()
  readonly #stalled = new Map<number, string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  onProgress(progress: PartitionProgress): void {
    this.#progress.set(progress.partition, progress)
  }

  onSnapshot(report: SnapshotReport): void {
    const { partition, neededFrom, neededModels } = report
    const progress = this.#progress.get(partition)
    if (progress !== undefined) this.#progress.set(partition, { ...progress, neededFrom, neededModels })
    const before = this.#snapshots.get(partition) ?? noSnapshots
    const { durationMs, byteLength, writtenBytes, savedAtMs } = report
    this.#snapshots.set(
      partition,
      report.error === null
        ? { ...before, durationMs, byteLength, writtenBytes, savedAtMs, count: before.count + 1 }
        : { ...before, failedCount: before.failedCount + 1 },
    )
  }

  onStalled(partition: number, error: Error | null): void {
    if (error === null) this.#stalled.delete(partition)
    else this.#stalled.set(partition, error.message)
  }

  /** Bytes of durable input that are not processed yet. */
  lagBytes(input: PartitionInput): number {
    const processed = this.#progress.get(input.partition)?.processed
    return processed === undefined ? 0 : input.bytesBehind(processed)
  }

  /** Offset before which no recovery of a partition reads; `null` while it has no snapshot. */
  neededFrom(partition: number): number | null {
    return this.#progress.get(partition)?.neededFrom ?? null
  }

  /** Hashes of the packages that recoveries would load. */
  get neededModels(): readonly string[] {
    return [...this.#progress.values()].flatMap(({ neededModels }) => neededModels)
  }

  /** Operators' counters, summed. */
  get counters(): OperatorCounters {
    return sumCounters([...this.#progress.values()].map(({ counters }) => counters))
  }

  /** Of results on `alert-signals` by partition, from the append of the record that closed their window until they were durable. */
  get alertLatency(): ReadonlyMap<number, DurationCounts> {
    return new Map([...this.#progress].map(([partition, { alertLatency }]) => [partition, alertLatency]))
  }

  partitionStats(input: PartitionInput): PartitionStats {
    const progress = this.#progress.get(input.partition)
    const processedOffset = progress?.processed.offset ?? 0
    return {
      partition: input.partition,
      endOffset: input.nextOffset,
      durableOffset: input.durable.offset,
      processedOffset,
      lagRecords: input.durable.offset - processedOffset,
      lagBytes: this.lagBytes(input),
      unsyncedBytes: input.unsyncedBytes,
      appendTimeMs: input.appendTimeMs,
      deviceCount: progress?.deviceCount ?? 0,
      suppressedCount: progress?.suppressedCount ?? 0,
      stalled: this.#stalled.get(input.partition) ?? null,
      snapshot: this.#snapshotStats(input.partition),
    }
  }

  #snapshotStats(partition: number): SnapshotStats {
    const { savedAtMs, ...stats } = this.#snapshots.get(partition) ?? noSnapshots
    return { ...stats, ageMs: savedAtMs === null ? null : Math.max(0, this.#clock.nowMs() - savedAtMs) }
  }
}

type Snapshots = Omit<SnapshotStats, 'ageMs'> & { readonly savedAtMs: number | null }

const noSnapshots: Snapshots = {
  durationMs: 0,
  byteLength: 0,
  writtenBytes: 0,
  count: 0,
  failedCount: 0,
  savedAtMs: null,
}
