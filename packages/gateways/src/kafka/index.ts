export { BrokerLink } from './broker-link.ts'
export { type KafkaFlags, kafkaConnectionOf, kafkaVariables } from './connection-settings.ts'
export {
  KafkaAuthenticationError,
  KafkaBusyError,
  KafkaClosedError,
  KafkaRefusedError,
  KafkaTakenOverError,
  KafkaTopicMissingError,
  KafkaUnreachableError,
} from './errors.ts'
export type { FetchedRecords } from './fetch-committed.ts'
export { KafkaFileIngest } from './file-ingest.ts'
export { type GroupOffset, GroupOffsets } from './group-offsets.ts'
export { type KafkaAlertFeed, openKafkaAlertFeed } from './kafka-alert-feed.ts'
export { KafkaCaseLog } from './kafka-case-log.ts'
export { clientOptions, type KafkaConnection } from './kafka-connection.ts'
export { kafkaError, protocolErrorName } from './kafka-error.ts'
export { KafkaFeedback } from './kafka-feedback.ts'
export { KafkaIngest, type KafkaIngestStats } from './kafka-ingest.ts'
export { writeInOrder } from './keyed-writer.ts'
export { mergeByTime } from './merge-by-time.ts'
export type { TopicMoment } from './offset-lookup.ts'
export { laneOf, type PartitionedTopic, type Progress } from './operator-progress.ts'
export { type LagPort, type PartitionLag, partitionLags } from './partition-lags.ts'
export { PartitionProducer } from './partition-producer.ts'
export { isPassing } from './passing-error.ts'
export { positionsTopic } from './positions.ts'
export type { KafkaRecord, NewRecord } from './record.ts'
export { type TopicEnd, TopicEnds } from './topic-ends.ts'
export { type ReadRange, TopicReader } from './topic-reader.ts'
export { TopicsLink } from './topics-link.ts'
