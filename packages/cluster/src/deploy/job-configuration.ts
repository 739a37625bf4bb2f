import { ConfigurationError, type ConfigurationProblem } from '@millwright/core'

/** Settings of Flink by their keys, as its configuration has them; what is not set is not there. */
export type FlinkSettings = Readonly<Record<string, string>>

/** A setting of Flink, by its key and the earlier ones that Flink takes as well. Source: `CheckpointingOptions` and `StateBackendOptions` of 2.2. */
interface Setting {
  readonly keys: readonly [string, ...string[]]
  readonly value: string
}

/**
 * What a job is given where the cluster does not say. Flink takes no checkpoints of itself: transactions would never be committed, and no
 * alert ever seen.
 */
const defaults: readonly Setting[] = [
  // Also how long an alert may wait before readers of committed records see it.
  { keys: ['execution.checkpointing.interval'], value: '10 s' },
  { keys: ['execution.checkpointing.incremental', 'state.backend.incremental'], value: 'true' },
  // Else nothing is left to go on from when a job fails for good or is cancelled without a savepoint.
  { keys: ['execution.checkpointing.externalized-checkpoint-retention'], value: 'RETAIN_ON_CANCELLATION' },
  // A broker that is away for a minute should not restart the job.
  { keys: ['execution.checkpointing.tolerable-failed-checkpoints'], value: '10' },
  // A fleet's state need not fit in the memory of the task managers.
  { keys: ['state.backend.type', 'state.backend'], value: 'rocksdb' },
]

/** What the job cannot do without, whatever else runs on the cluster: with at-least-once, windows would be given twice. */
const always: FlinkSettings = { 'execution.checkpointing.mode': 'EXACTLY_ONCE' }

/** What only the cluster can say: a folder that all its machines see. */
const folders = [
  {
    keys: ['execution.checkpointing.dir', 'state.checkpoints.dir', 'state.backend.fs.checkpointdir'],
    without: 'checkpoints would be kept in the memory of the JobManager',
  },
  {
    keys: ['execution.checkpointing.savepoint-dir', 'state.savepoints.dir', 'savepoints.state.backend.fs.dir'],
    without: 'no savepoint could be made, so the job could be neither replaced nor scaled',
  },
] as const

/**
 * The settings that a job of ours is started with: what it cannot do without, and what the cluster's own configuration leaves open. What the
 * cluster has set otherwise holds.
 *
 * @param cluster Of the cluster, as `FlinkClient.configuration` gives it.
 * @throws {ConfigurationError} When the cluster has no folder for checkpoints, or none for savepoints.
 */
export function jobConfiguration(cluster: FlinkSettings): FlinkSettings {
  const isSet = (keys: readonly string[]): boolean => keys.some((key) => (cluster[key] ?? '') !== '')
  const problems = folders
    .filter(({ keys }) => !isSet(keys))
    .map(
      ({ keys, without }): ConfigurationProblem => ({
        field: keys[0],
        found: `nothing in Flink's configuration: ${without}`,
        wanted: 'the URI of a folder that all machines of Flink see and that outlives them',
      }),
    )
  if (problems.length > 0)
    throw new ConfigurationError('This Flink cannot keep the state of a job; nothing was changed.', problems)
  const open = defaults.filter(({ keys }) => !isSet(keys)).map(({ keys: [key], value }) => [key, value] as const)
  return { ...Object.fromEntries(open), ...always }
}
