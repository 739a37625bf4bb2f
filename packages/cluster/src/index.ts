export { readsEvents } from './bundle/job-description.ts'
export { JobFailedError } from './deploy/await-running.ts'
export {
  awaitRunOver,
  type BoundedRun,
  type BoundedRunResult,
  runOutputs,
  startBoundedRun,
} from './deploy/bounded-run.ts'
export { type Deployment, type DeployResult, deploy } from './deploy/deploy.ts'
export { type JobStatus, jobStatus, type PartitionPosition } from './deploy/job-status.ts'
export { cancel, type JobCommand, scale } from './deploy/scale-and-cancel.ts'
export {
  FlinkAnswerError,
  FlinkAuthenticationError,
  FlinkNotFoundError,
  FlinkRefusedError,
  FlinkSavepointError,
  FlinkTimeoutError,
  FlinkUnreachableError,
} from './flink/errors.ts'
export { FlinkClient } from './flink/flink-client.ts'
export type { FlinkConnection } from './flink/flink-http.ts'
export type {
  FlinkCheckpoint,
  FlinkCheckpointFailure,
  FlinkCheckpoints,
  FlinkException,
  FlinkJob,
  FlinkJobDetail,
  FlinkJobState,
  FlinkMetricAggregate,
  FlinkOverview,
  FlinkTaskManager,
  FlinkVertex,
  RunJarOptions,
  SavepointOptions,
  SavepointStatus,
} from './flink/flink-types.ts'
export { KafkaAdministration, type KafkaQuorum, type TopicReport } from './kafka/administration.ts'
export { activationKey, packagePartKey } from './kafka/model-update-key.ts'
export { findQuietPartitions, type QuietPartition, quietText } from './kafka/quiet-partitions.ts'
export { type TopicDefinition, type TopicOptions, topicDefinitions } from './kafka/topic-definitions.ts'
export {
  type PartitionRange,
  parseRangeEdge,
  type RangeEdge,
  recordCountMaxOf,
  resolveRange,
} from './kafka/topic-range.ts'
export { differenceText, type TopicDifference } from './kafka/topic-report.ts'
export { topicsWithRecords } from './kafka/topics-with-records.ts'
