import type { OutputTopic } from '@millwright/core'
import type { ToldRecord } from './output-log.ts'

/** A record of an output topic as subscribers get it. */
export interface SubscribedRecord extends ToldRecord {
  readonly topic: OutputTopic
  readonly partition: number
}

/** Must not throw: what it throws ends the process, as in any listener. */
export type OutputListener = (record: SubscribedRecord) => void

/** Who is told of which topic. */
export class Subscriptions {
  readonly #listeners = new Map<OutputTopic, Set<OutputListener>>()

  /** @returns What ends the subscription. */
  add(topic: OutputTopic, listener: OutputListener): () => void {
    const listeners = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, listeners.add(listener))
    return () => {
      listeners.delete(listener)
    }
  }

  /** Topics that somebody listens to. */
  get topics(): readonly OutputTopic[] {
    return [...this.#listeners].flatMap(([topic, listeners]) => (listeners.size > 0 ? [topic] : []))
  }

  tell(topic: OutputTopic, partition: number, records: readonly ToldRecord[]): void {
    for (const listener of this.#listeners.get(topic) ?? [])
      for (const record of records) listener({ topic, partition, ...record })
  }
}
