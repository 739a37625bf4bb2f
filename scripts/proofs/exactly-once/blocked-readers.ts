import { pause } from '../support/proof.ts'
import type { KafkaProbe, PartitionEnds } from './kafka-probe.ts'

const betweenLooksMs = 500

/**
 * Watches for how long readers of committed records wait: while a partition has records that they do not see, and the place from which
 * on they do not see them stays where it is. What is told is never less than it was, and at most two looks more.
 */
export class BlockedReaders {
  readonly #probe: KafkaProbe
  readonly #partitions: readonly WatchedPartition[]
  readonly #watching: Promise<void>
  #stopped = false
  #longestMs = 0
  #looks = 0

  constructor(probe: KafkaProbe, topics: readonly string[], partitionCount: number) {
    this.#probe = probe
    this.#partitions = topics.flatMap((topic) =>
      Array.from({ length: partitionCount }, (_, partition) => new WatchedPartition(topic, partition)),
    )
    this.#watching = this.#watch()
  }

  /** Times that a partition was looked at since the start, with an answer. */
  get looks(): number {
    return this.#looks
  }

  /** The longest wait that was seen since this was asked last, milliseconds. */
  takeLongestMs(): number {
    const longestMs = this.#longestMs
    this.#longestMs = 0
    return longestMs
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watching
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const ends = await this.#probe.endsOf(this.#partitions)
      const nowMs = performance.now()
      for (const [i, partition] of this.#partitions.entries()) {
        const found = ends[i] ?? null
        // While nobody leads the partition readers wait as well, and the place cannot have moved.
        if (found === null) continue
        this.#looks += 1
        this.#longestMs = Math.max(this.#longestMs, partition.look(found, nowMs))
      }
      await pause(betweenLooksMs)
    }
  }
}

class WatchedPartition {
  readonly topic: string
  readonly partition: number
  #blockedAt = -1
  #sinceMs = 0
  #lookedMs = performance.now()

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** @returns How long the wait was that this look has seen, or seen the end of, milliseconds; 0 where there was none. */
  look({ stable, end }: PartitionEnds, nowMs: number): number {
    const waitedMs = this.#blockedAt >= 0 ? nowMs - this.#sinceMs : 0
    if (stable >= end) this.#blockedAt = -1
    else if (this.#blockedAt !== stable) {
      this.#blockedAt = stable
      // Readers may have waited since right after the look before.
      this.#sinceMs = this.#lookedMs
    }
    this.#lookedMs = nowMs
    return waitedMs
  }
}
