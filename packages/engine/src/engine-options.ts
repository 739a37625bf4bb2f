import { type Clock, type Disk, limits, type ModelName, type RetentionRules } from '@millwright/core'
import type { LoadModel } from './model-cache.ts'
import { NodeDisk } from './node-disk.ts'
import type { CreateOperator } from './partition-host.ts'
import type { OnPhase } from './phases.ts'

/** How an engine is opened. */
export interface EngineOptions {
  /** The data folder; made where there is none. */
  readonly directory: string
  /** Partitions of each topic, 1–64; permanent for a data folder. */
  readonly partitionCount: number
  /**
   * Names plan and code, for example by a hash. State that was made under another identity is not used: processing then
   * begins with an empty state at the first record that left no output yet, and the report says so.
   */
  readonly identity: string
  readonly operators: InlineOperators | WorkerOperators
  /**
   * Checks a model package before anything of it is written, and names it.
   *
   * @throws Anything, where the package is refused: `publish` then throws the same, and nothing has changed.
   */
  readonly validateModel: (bytes: Uint8Array) => AcceptedModel | Promise<AcceptedModel>
  readonly retention?: RetentionRules
  /** Default 10 s. */
  readonly snapshotEveryMs?: number
  /** Between two heartbeats of a partition; grows where nothing else arrives. Default 1 s. */
  readonly heartbeatEveryMs?: number
  /** Default 60 s. */
  readonly retentionEveryMs?: number
  /** Default 64 MiB. */
  readonly segmentBytesMax?: number
  /** Bytes of the disk that are kept free: below them, appends are refused. Default 256 MiB. */
  readonly diskReserveBytes?: number
  readonly unsyncedBytesMax?: number
  readonly backlogBytesMax?: number
  readonly clock?: Clock
  /** A disk other than the real one works inline only. */
  readonly disk?: Disk
  /** `manual`: nothing happens by time but in `Engine.tick`, and durations come from `clock`. For tests. */
  readonly ticks?: 'timer' | 'manual'
  /** Called once when the plant has stopped because of an error: an operator's, or damage found while it ran. */
  readonly onFailure?: (error: Error) => void
  readonly onPhase?: OnPhase
}

/** Operators in the engine's own thread. */
export interface InlineOperators {
  readonly mode: 'inline'
  readonly createOperator: CreateOperator
  readonly loadModel: LoadModel
}

/** Operators in worker threads: partition p runs in thread p modulo `workerCount`. */
export interface WorkerOperators {
  readonly mode: 'workers'
  /** A module that calls `runPartitionWorker`. */
  readonly module: URL
  /** As the module finds it in `workerData` of `node:worker_threads`; must be cloneable. */
  readonly workerData: unknown
  /** 1 or more; no more than there are partitions are started. */
  readonly workerCount: number
}

/** What {@link EngineOptions.validateModel} says of a package that it accepts. */
export interface AcceptedModel extends ModelName {
  /** SHA-256 of the package's bytes, lower-case hexadecimal. */
  readonly sha256: string
}

const dayMs = 24 * 60 * 60 * 1000

/** 30 days of readings, 400 days of outputs, 50 GB. */
export const defaultRetention: RetentionRules = {
  readingsMs: 30 * dayMs,
  outputsMs: 400 * dayMs,
  diskBytesMax: 50_000_000_000,
}

/** Options with every default filled in. */
export type ResolvedOptions = Required<Omit<EngineOptions, 'onFailure' | 'onPhase'>> & {
  readonly onFailure: ((error: Error) => void) | null
  readonly onPhase: OnPhase | null
  /** Milliseconds of a clock that never falls. */
  readonly elapsedMs: () => number
}

export function resolveOptions(options: EngineOptions): ResolvedOptions {
  const clock = options.clock ?? { nowMs: () => Date.now() }
  const ticks = options.ticks ?? 'timer'
  return {
    retention: defaultRetention,
    snapshotEveryMs: 10_000,
    heartbeatEveryMs: 1000,
    retentionEveryMs: 60_000,
    segmentBytesMax: limits.segmentBytesMax,
    diskReserveBytes: 256 * 1024 * 1024,
    unsyncedBytesMax: limits.unsyncedBytesMax,
    backlogBytesMax: limits.backlogBytesMax,
    disk: new NodeDisk(),
    ...options,
    clock,
    ticks,
    elapsedMs: ticks === 'manual' ? () => clock.nowMs() : () => performance.now(),
    onFailure: options.onFailure ?? null,
    onPhase: options.onPhase ?? null,
  }
}
