export { type EngineInfo, readEngineInfo, type StoreFormat, seemsRunning, storeVersion } from './data-folder.ts'
export { Engine } from './engine.ts'
export {
  type AcceptedModel,
  defaultRetention,
  type EngineOptions,
  type InlineOperators,
  type WorkerOperators,
} from './engine-options.ts'
export type { EngineStats, PartitionStats, SnapshotStats } from './engine-stats.ts'
export {
  BusyError,
  DiskFailedError,
  DiskFullError,
  EngineClosedError,
  LogCorruptError,
  ModelMissingError,
  ModelRefusedError,
  NoPreviousModelError,
  PartitionCountError,
  PartitionFailedError,
  RemoteError,
  SourceInterruptedError,
  StateCorruptError,
  StoreLockedError,
  StoreVersionError,
} from './errors.ts'
export { activationInForce, effectiveFromMs, type SeenActivation, standingActivations } from './input-state.ts'
export { listTopics, type TopicSummary } from './list-topics.ts'
export { sha256Of } from './model-store.ts'
export type { PublishedModel } from './model-updates.ts'
export { NodeDisk } from './node-disk.ts'
export { openEngine } from './open-engine.ts'
export type { CreateOperator } from './partition-host.ts'
export type { OnPhase, Phase } from './phases.ts'
export type { PartitionRecovery, RecoveryReport } from './recovery-report.ts'
export { readStoreCut } from './store-cut.ts'
export type { OutputListener, SubscribedRecord } from './subscriptions.ts'
export type { TopicRecord } from './topic-lane.ts'
export { openTopicReader, TopicReader, type TopicReaderOptions } from './topic-reader.ts'
export type { StoreProblem } from './verify-log.ts'
export { type StoreReport, verifyStore } from './verify-store.ts'
export { type PartitionWorker, runPartitionWorker } from './worker.ts'
