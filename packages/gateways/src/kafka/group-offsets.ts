import { Admin } from '@platformatic/kafka'
import { clientOptions, type KafkaConnection } from './kafka-connection.ts'

/** How far a consumer group says it has come in a topic. */
export interface GroupOffset {
  readonly topic: string
  readonly partition: number
  /** Of the next record that it will read, as last committed. */
  readonly offset: number
}

/** What is known is looked up anew after so long, when somebody asks. */
const freshMs = 2_000

/** Knows how far a consumer group has committed, for whoever watches: the operators on Flink do so with each checkpoint. */
export class GroupOffsets {
  readonly #admin: Admin
  readonly #groupId: string
  readonly #topics: readonly string[]
  #known: readonly GroupOffset[] = []
  #knownAtMs = Number.NEGATIVE_INFINITY
  #lookup: Promise<void> | null = null

  constructor(connection: KafkaConnection, groupId: string, topics: readonly string[]) {
    this.#admin = new Admin({ ...clientOptions(connection, 'millwright-lag'), retries: 1, retryDelay: 100 })
    this.#groupId = groupId
    this.#topics = topics
  }

  /**
   * What was last known; looks up anew behind the caller's back. None before the first answer, where the group never committed, and
   * after Kafka could not be asked: an old lag would look like a good one.
   */
  get known(): readonly GroupOffset[] {
    if (performance.now() - this.#knownAtMs > freshMs)
      this.#lookup ??= this.#lookUp().finally(() => {
        this.#knownAtMs = performance.now()
        this.#lookup = null
      })
    return this.#known
  }

  async close(): Promise<void> {
    await this.#lookup
    await this.#admin.close()
  }

  async #lookUp(): Promise<void> {
    try {
      const [group] = await this.#admin.listConsumerGroupOffsets({ groups: [this.#groupId] })
      this.#known = (group?.topics ?? [])
        .filter(({ name }) => this.#topics.includes(name))
        .flatMap(({ name, partitions }) =>
          partitions
            .filter(({ committedOffset }) => committedOffset >= 0n)
            .map(({ partitionIndex, committedOffset }) => ({
              topic: name,
              partition: partitionIndex,
              offset: Number(committedOffset),
            })),
        )
    } catch {
      // Kafka is away, which readiness says.
      this.#known = []
    }
  }
}
