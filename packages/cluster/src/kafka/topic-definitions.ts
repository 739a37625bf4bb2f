import { limits, type TopicName, topicNames } from '@millwright/core'

/** A topic as it should be: what `ensureTopics` makes, and compares with what is there. */
export interface TopicDefinition {
  readonly name: string
  readonly partitionCount: number
  readonly replicationFactor: number
  /** Kafka's own settings of a topic, as text. Those that are not named may be anything. */
  readonly settings: Readonly<Record<string, string>>
}

export interface TopicOptions {
  /** 1–64. A change needs draining, since devices would move (DESIGN 4). Default 3. */
  readonly partitionCount?: number
  /** Copies of each partition. Default 2; 3 in production with three brokers or more. */
  readonly replicationFactor?: number
  /** Copies that must have a record before it is acknowledged. Default 1; 2 where there are three copies. */
  readonly minInSyncReplicas?: number
  /** Before each name, so that several plants share brokers; ends in a separator of your choice. Default none. */
  readonly prefix?: string
  /** How long readings, and all else that comes in, are kept; milliseconds of append time. Default 30 days. */
  readonly readingsMs?: number
  /** How long features, alerts and the rest are kept; milliseconds of append time. Default 400 days. */
  readonly outputsMs?: number
}

const dayMs = 86_400_000

/** A record of a whole line, with its key and headers. Larger ones are refused at the producer, not at the operator. */
const lineRecordBytesMax = limits.lineBytesMax + 64 * 1024
/** A dead letter's bytes may be escaped or in base64, which at most doubles them. */
const deadLetterRecordBytesMax = 2 * limits.deadLetterBytesMax + 64 * 1024

/**
 * Returns every topic of a plant.
 *
 * - All carry append time (`LogAppendTime`): it is the plant's clock, and retention by the time that a producer writes would
 *   remove replayed history as soon as it comes in.
 * - `model-updates` has one partition, so that a package's parts come before the activation that needs them, and is
 *   compacted: of a part that is published again only the last copy stays. Each activation has a key of its own
 *   (./model-update-key.ts), so that none is ever compacted away.
 */
export function topicDefinitions(options: TopicOptions = {}): TopicDefinition[] {
  return topicNames.map((topic) => ({
    name: `${options.prefix ?? ''}${topic}`,
    partitionCount: topic === 'model-updates' ? 1 : (options.partitionCount ?? 3),
    replicationFactor: options.replicationFactor ?? 2,
    settings: {
      'message.timestamp.type': 'LogAppendTime',
      'min.insync.replicas': String(options.minInSyncReplicas ?? 1),
      ...settingsOf(topic, options.readingsMs ?? 30 * dayMs, options.outputsMs ?? 400 * dayMs),
    },
  }))
}

function settingsOf(topic: TopicName, readingsMs: number, outputsMs: number): Record<string, string> {
  switch (topic) {
    case 'sensor-data':
    case 'device-events':
      return {
        'cleanup.policy': 'delete',
        'retention.ms': String(readingsMs),
        'max.message.bytes': String(lineRecordBytesMax),
      }
    case 'model-updates':
      return { 'cleanup.policy': 'compact', 'max.message.bytes': String(lineRecordBytesMax) }
    case 'dead-letters':
    case 'late-readings':
      return {
        'cleanup.policy': 'delete',
        'retention.ms': String(outputsMs),
        'max.message.bytes': String(Math.max(deadLetterRecordBytesMax, lineRecordBytesMax)),
      }
    case 'maintenance-feedback':
    case 'case-commands':
    case 'cases':
    case 'device-features':
    case 'alert-signals':
    case 'device-status':
      return { 'cleanup.policy': 'delete', 'retention.ms': String(outputsMs) }
  }
}
