import type { DurationCounts, OperatorCounters } from '@millwright/core'

/** How one partition stands. Offsets count records; bytes are of the log. */
export interface PartitionStats {
  readonly partition: number
  /** Offset of the next record that will be appended, of the next that will be durable, of the next to be processed. */
  readonly endOffset: number
  readonly durableOffset: number
  readonly processedOffset: number
  /** Durable records, and bytes, that are not processed yet. */
  readonly lagRecords: number
  readonly lagBytes: number
  readonly unsyncedBytes: number
  /** Append time of the newest record, epoch milliseconds. */
  readonly appendTimeMs: number
  readonly deviceCount: number
  /** Outputs calculated again after the last recovery that were there already. */
  readonly suppressedCount: number
  /** Why the disk keeps this partition from being processed; `null` while it is. */
  readonly stalled: string | null
  readonly snapshot: SnapshotStats
}

export interface SnapshotStats {
  /** Since the last one of this run was durable; `null` before the first. */
  readonly ageMs: number | null
  readonly durationMs: number
  /** Of all files that a recovery reads, and of those that the last one wrote. */
  readonly byteLength: number
  readonly writtenBytes: number
  readonly count: number
  readonly failedCount: number
}

export interface EngineStats {
  readonly partitions: readonly PartitionStats[]
  /** Operators' counters, summed over partitions. */
  readonly counters: OperatorCounters
  readonly unsyncedBytes: number
  readonly backlogBytes: number
  /** Appends that wait to be durable. */
  readonly pendingAppends: number
  /** From the write of a group to its sync. */
  readonly commit: DurationCounts
  /** Of results on `alert-signals`, by partition: from the append of the record that closed the window until they were durable. */
  readonly alertLatency: ReadonlyMap<number, DurationCounts>
  readonly appendedRecords: number
  readonly appendedBytes: number
  /** Lines of resumable sources that were in the log already. */
  readonly suppressedLines: number
  /** Appends refused because too much waits, and because the disk is full. */
  readonly refusedBusy: number
  readonly refusedDiskFull: number
  readonly forgottenSources: number
  /** Of everything in the data folder that can grow, as measured at most five seconds ago. */
  readonly diskBytes: number
  readonly diskFreeBytes: number
  readonly diskBudgetExceeded: boolean
  readonly retiredSegments: number
  readonly retiredBytes: number
  /** How far the clock is behind the newest append time, milliseconds: more than a moment means that it was set back. */
  readonly clockBehindMs: number
}

/** Sums counters by name. */
export function sumCounters(all: Iterable<OperatorCounters>): OperatorCounters {
  const total: Record<string, number> = {}
  for (const counters of all)
    for (const [name, count] of Object.entries(counters)) total[name] = (total[name] ?? 0) + count
  return total
}
