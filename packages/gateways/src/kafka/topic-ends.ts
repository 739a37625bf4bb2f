import { BrokerLink } from './broker-link.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { offsetOf } from './offset-lookup.ts'

/** The offsets that the next committed record of each partition has at least. */
export interface TopicEnd {
  readonly topic: string
  readonly endOffsets: readonly number[]
}

/** What is known is looked up anew after so long, when somebody asks. */
const freshMs = 2_000
/** Whoever asks waits so long for what is new, and then gets what was known. */
const waitMs = 1_000

/** Knows where topics end, for whoever watches; asks Kafka at most every two seconds, however many watch. */
export class TopicEnds {
  readonly #link: BrokerLink
  readonly #topics: readonly { readonly topic: string; readonly partitionCount: number }[]
  #known: readonly TopicEnd[] = []
  #knownAtMs = Number.NEGATIVE_INFINITY
  #lookup: Promise<void> | null = null
  #failure: Error | null = null

  private constructor(
    link: BrokerLink,
    topics: readonly { readonly topic: string; readonly partitionCount: number }[],
  ) {
    this.#link = link
    this.#topics = topics
  }

  /** @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError} */
  static async open(connection: KafkaConnection, topics: readonly string[]): Promise<TopicEnds> {
    const link = new BrokerLink({ ...connection, timeoutMs: connection.timeoutMs ?? 15_000 }, 'millwright-watch')
    try {
      const counts = await link.partitionCounts(topics)
      const ends = new TopicEnds(
        link,
        topics.map((topic, index) => ({ topic, partitionCount: counts[index] ?? 0 })),
      )
      // Whoever asks first gets what was there at the start at least.
      await ends.#lookUp()
      return ends
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /** Why the newest look-up failed; `null` where it did not. */
  get failure(): Error | null {
    return this.#failure
  }

  /** What is known, at most a few seconds old while Kafka answers; the last known while it does not. Never rejects. */
  async ends(): Promise<readonly TopicEnd[]> {
    if (performance.now() - this.#knownAtMs > freshMs) {
      this.#lookup ??= this.#lookUp().finally(() => {
        this.#lookup = null
      })
      let timer: NodeJS.Timeout | undefined
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, waitMs)
      })
      await Promise.race([this.#lookup, patience])
      clearTimeout(timer)
    }
    return this.#known
  }

  async close(): Promise<void> {
    await this.#link.close()
  }

  async #lookUp(): Promise<void> {
    try {
      this.#known = await Promise.all(
        this.#topics.map(async ({ topic, partitionCount }) => ({
          topic,
          endOffsets: await Promise.all(
            Array.from({ length: partitionCount }, (_, partition) => offsetOf(this.#link, topic, partition, 'end')),
          ),
        })),
      )
      this.#knownAtMs = performance.now()
      this.#failure = null
    } catch (error) {
      this.#failure = error as Error
    }
  }
}
