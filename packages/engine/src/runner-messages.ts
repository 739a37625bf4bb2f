import type { DurationCounts, OperatorCounters, OutputTopic } from '@millwright/core'
import type { ErrorData } from './errors.ts'
import type { ToldRecord } from './output-log.ts'
import type { PreparedPartition } from './partition-host.ts'
import type { LogPosition } from './segment-names.ts'

/**
 * What the engine and its partition runners say to each other: plain data, the same between threads and within one.
 * The order of a start: setup, prepare → prepared, start → started; only `start` may change anything on disk.
 */

/** How a runner is set up; the first message of a worker. */
export interface RunnerSetup {
  readonly kind: 'setup'
  /** The data folder. */
  readonly directory: string
  readonly identity: string
  readonly partitions: readonly number[]
  readonly segmentBytesMax: number
  readonly snapshotEveryMs: number
}

export interface PartitionStart {
  readonly partition: number
  readonly inputNeeded: number
  readonly durable: LogPosition
}

export type ToRunner =
  | { readonly kind: 'prepare' }
  | { readonly kind: 'start'; readonly partitions: readonly PartitionStart[] }
  /** Input before `position` may be processed. */
  | { readonly kind: 'durable'; readonly partition: number; readonly position: LogPosition }
  /** Topics whose records are to be told. */
  | { readonly kind: 'tell'; readonly topics: readonly OutputTopic[] }
  /** Answered by `drained` when everything durable so far is processed and its outputs are durable. */
  | { readonly kind: 'drain'; readonly id: number }
  /** Answered by `snapshot-done` when each partition has tried to take one. */
  | { readonly kind: 'snapshot'; readonly id: number }
  /** Processes for at most `processMs` more, takes a last snapshot, gives the files back, answers `closed`. */
  | { readonly kind: 'close'; readonly processMs: number }

export type FromRunner =
  | { readonly kind: 'prepared'; readonly partitions: readonly PreparedPartition[] }
  | { readonly kind: 'started'; readonly partitions: readonly PartitionProgress[] }
  | { readonly kind: 'progress'; readonly progress: PartitionProgress }
  | {
      readonly kind: 'records'
      readonly topic: OutputTopic
      readonly partition: number
      readonly records: readonly ToldRecord[]
    }
  | { readonly kind: 'snapshot'; readonly report: SnapshotReport }
  /** The disk failed the outputs of a partition: it is tried again, `error` is `null` when that went well. */
  | { readonly kind: 'stalled'; readonly partition: number; readonly error: ErrorData | null }
  | { readonly kind: 'drained'; readonly id: number }
  | { readonly kind: 'snapshot-done'; readonly id: number }
  | { readonly kind: 'closed' }
  /** Nothing more is processed; the plant must stop. */
  | { readonly kind: 'failed'; readonly error: ErrorData }

export interface PartitionProgress {
  readonly partition: number
  readonly processed: LogPosition
  readonly counters: OperatorCounters
  readonly deviceCount: number
  /** Outputs that were calculated again after a recovery and were there already. */
  readonly suppressedCount: number
  readonly neededFrom: number | null
  readonly neededModels: readonly string[]
  readonly alertLatency: DurationCounts
}

export interface SnapshotReport {
  readonly partition: number
  /** Of all files a recovery reads, and of those written now; 0 where the attempt failed. */
  readonly byteLength: number
  readonly writtenBytes: number
  readonly durationMs: number
  readonly savedAtMs: number
  readonly neededFrom: number | null
  readonly neededModels: readonly string[]
  /** Why there is none; the one before stays in force. */
  readonly error: ErrorData | null
}
