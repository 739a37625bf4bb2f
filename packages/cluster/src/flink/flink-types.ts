/** What Flink's REST API tells, in our words. Times are epoch milliseconds, durations milliseconds, sizes bytes. */

export interface FlinkOverview {
  readonly version: string
  readonly taskManagerCount: number
  readonly slotCount: number
  readonly freeSlotCount: number
  readonly runningJobCount: number
}

export interface FlinkTaskManager {
  readonly id: string
  readonly slotCount: number
  readonly freeSlotCount: number
  /** Since its last heartbeat was seen. */
  readonly lastHeartbeatAtMs: number
}

/** As Flink names them. The last five are final, but `SUSPENDED`: that job may be recovered by another JobManager. */
export type FlinkJobState =
  | 'INITIALIZING'
  | 'CREATED'
  | 'RUNNING'
  | 'FAILING'
  | 'CANCELLING'
  | 'RESTARTING'
  | 'RECONCILING'
  | 'FAILED'
  | 'CANCELED'
  | 'FINISHED'
  | 'SUSPENDED'

export interface FlinkJob {
  readonly id: string
  readonly name: string
  readonly state: FlinkJobState
  readonly startedAtMs: number
  /** `null` while it is not over. */
  readonly endedAtMs: number | null
}

export interface FlinkVertex {
  readonly id: string
  readonly name: string
  readonly parallelism: number
  readonly maxParallelism: number
  /** State of its subtasks taken together, as Flink names it. */
  readonly status: string
  /** How many subtasks are in which state. */
  readonly subtasks: Readonly<Record<string, number>>
}

export interface FlinkJobDetail extends FlinkJob {
  readonly vertices: readonly FlinkVertex[]
}

export interface FlinkCheckpoint {
  readonly id: number
  readonly kind: 'checkpoint' | 'savepoint'
  readonly triggeredAtMs: number
  /** From trigger to the last acknowledgement. */
  readonly durationMs: number
  /** State that it refers to. */
  readonly stateBytes: number
  /** What it wrote itself: less, where it is incremental. */
  readonly writtenBytes: number
  /** `null` where none was made. */
  readonly path: string | null
  /** Whether it is still there, as far as Flink knows: older ones are removed, and those of a job that ended unless they are retained. */
  readonly kept: boolean
}

export interface FlinkCheckpointFailure {
  readonly id: number
  readonly triggeredAtMs: number
  readonly reason: string
}

export interface FlinkCheckpoints {
  readonly completedCount: number
  readonly failedCount: number
  readonly inProgressCount: number
  /** Times the job was restored from a checkpoint or savepoint. */
  readonly restoredCount: number
  readonly latestCompleted: FlinkCheckpoint | null
  readonly latestSavepoint: FlinkCheckpoint | null
  readonly latestFailed: FlinkCheckpointFailure | null
  /** What the running job was restored from last. */
  readonly latestRestored: { readonly id: number; readonly path: string | null; readonly restoredAtMs: number } | null
}

export interface FlinkException {
  readonly at: number
  /** Deepest cause in one line. */
  readonly cause: string
  readonly trace: string
  /** Name and number of the subtask; `null` where the whole job failed. */
  readonly task: string | null
  readonly taskManagerId: string | null
}

/** Over all subtasks. */
export interface FlinkMetricAggregate {
  readonly sum: number
  readonly min: number
  readonly max: number
}

export interface RunJarOptions {
  readonly entryClass?: string
  /** As the program gets them. They stand in Flink's page and log: no secrets. */
  readonly args?: readonly string[]
  readonly parallelism?: number
  readonly savepointPath?: string
  /** Whether state that no operator takes may be left behind. */
  readonly allowNonRestoredState?: boolean
  /** Settings of Flink for this job alone. */
  readonly configuration?: Readonly<Record<string, string>>
}

export interface SavepointOptions {
  /** URI of a folder that all task managers write to; without it the cluster's own. */
  readonly targetDirectory?: string
  /** `CANONICAL` may be restored with another state backend; `NATIVE` is quicker. */
  readonly format?: 'CANONICAL' | 'NATIVE'
}

export type SavepointStatus =
  | { readonly state: 'in progress' }
  | { readonly state: 'completed'; readonly location: string }
  | { readonly state: 'failed'; readonly cause: string; readonly trace: string }
