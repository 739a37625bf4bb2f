/** Topics that the watcher reads, in the order in which records of one append time are taken. */
export const watchedTopics = [
  'maintenance-feedback',
  'case-commands',
  'device-features',
  'alert-signals',
  'late-readings',
  'dead-letters',
  'device-status',
] as const

export type WatchedTopic = (typeof watchedTopics)[number]

/** One record of a topic. */
export interface WatchedRecord {
  readonly topic: WatchedTopic
  /** Epoch milliseconds. */
  readonly appendTimeMs: number
  /** One JSON document, as docs/formats/topics.md has it. */
  readonly text: string
}
