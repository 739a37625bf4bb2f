/** The topics, with the same names in the embedded log and in Kafka (DESIGN section 2). */
export const topicNames = [
  'sensor-data',
  'device-events',
  'maintenance-feedback',
  'case-commands',
  'cases',
  'model-updates',
  'device-features',
  'alert-signals',
  'late-readings',
  'dead-letters',
  'device-status',
] as const

export type TopicName = (typeof topicNames)[number]

/** Topics that operators write. The order is the order of commitment within one input record. */
export const outputTopics = [
  'device-features',
  'alert-signals',
  'late-readings',
  'dead-letters',
  'device-status',
] as const

export type OutputTopic = (typeof outputTopics)[number]
