import { Admin, type Connection, findCoordinatorV4, GenericError, metadataV12 } from '@platformatic/kafka'
import { KafkaRefusedError, KafkaTopicMissingError, KafkaUnreachableError } from './errors.ts'
import { clientOptions, type KafkaConnection } from './kafka-connection.ts'
import { kafkaError } from './kafka-error.ts'

/** Of the kinds of coordinators that Kafka knows. Source: FindCoordinatorRequest, `key_type`. */
const coordinatorKinds = { group: 0, transaction: 1 } as const

/**
 * Finds the broker that a request is for, and asks it: the leader of a partition, the coordinator of a transaction.
 *
 * One attempt a call: whoever calls knows whether another may be made (./passing-error.ts). After a failure the next call looks up
 * anew who leads, and makes a new connection where the old one is gone: that is all of reconnecting.
 *
 * The requests are of fixed versions that every broker from 3.1 to 4.x takes; the client library makes their bytes, keeps the
 * connections, and does TLS and SASL.
 */
export class BrokerLink {
  readonly #admin: Admin
  readonly #leaders = new Map<string, readonly number[]>()
  readonly #coordinators = new Map<string, number>()
  /** After a failure: brokers may have come or gone. */
  #stale = false

  constructor(connection: KafkaConnection, clientId: string) {
    this.#admin = new Admin({ ...clientOptions(connection, clientId), retries: 2, retryDelay: 100 })
  }

  /**
   * Returns how many partitions topics have.
   *
   * @throws {KafkaTopicMissingError} Which names all that are missing.
   * @throws {KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  async partitionCounts(topics: readonly string[]): Promise<number[]> {
    return this.#ask('look up the topics', async () => {
      const there = new Set(await this.#admin.listTopics())
      const missing = topics.filter((topic) => !there.has(topic))
      if (missing.length > 0) throw topicsMissing(missing)
      const counts: number[] = []
      for (const topic of topics) counts.push((await this.#lookUp(topic)).length)
      return counts
    })
  }

  /** Makes a topic of one partition that is compacted, where it is not there. @throws As {@link partitionCounts}. */
  async ensureCompactedTopic(topic: string): Promise<void> {
    await this.#ask(`make the topic ${topic}`, async () => {
      if ((await this.#admin.listTopics()).includes(topic)) return
      await this.#admin.createTopics({
        topics: [topic],
        partitions: 1,
        // The broker's own default.
        replicas: -1,
        configs: [{ name: 'cleanup.policy', value: 'compact' }],
      })
    }).catch((error: unknown) => {
      // Another was quicker.
      if (error instanceof KafkaRefusedError && error.details['kafkaError'] === 'TOPIC_ALREADY_EXISTS') return
      throw error
    })
  }

  /** Asks the leader of a partition. @param what Completes "Cannot …". @throws As {@link partitionCounts}. */
  async askLeader<T>(
    what: string,
    topic: string,
    partition: number,
    request: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    return this.#ask(what, async () => {
      try {
        const leaders = this.#leaders.get(topic) ?? (await this.#lookUp(topic))
        return await request(await this.#connect(leaders[partition] ?? -1, `${topic}-${partition}`))
      } catch (error) {
        this.#leaders.delete(topic)
        throw error
      }
    })
  }

  /** Asks the coordinator of a transactional id. @throws As {@link partitionCounts}. */
  askCoordinator<T>(
    what: string,
    transactionalId: string,
    request: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    return this.#askCoordinator(what, 'transaction', transactionalId, request)
  }

  /** Asks the coordinator of a consumer group. @throws As {@link partitionCounts}. */
  askGroup<T>(what: string, group: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#askCoordinator(what, 'group', group, request)
  }

  /** Asks any broker. @throws As {@link partitionCounts}. */
  async askAny<T>(what: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#ask(what, async () => request(await this.#connectToAny()))
  }

  /** What the cluster calls itself, for good. @throws As {@link partitionCounts}. */
  async clusterId(): Promise<string> {
    return this.#ask('ask Kafka which cluster it is', async () => {
      const { id } = await this.#admin.metadata({ topics: [] })
      return id
    })
  }

  /** Ends all connections; what is under way fails. */
  async close(): Promise<void> {
    await this.#admin.close()
  }

  /** @returns The leader of each partition; -1 where there is none. */
  async #lookUp(topic: string): Promise<readonly number[]> {
    const connection = await this.#connectToAny()
    // A topic of which one partition has no leader is answered as an error; the others' leaders are in it all the same.
    const answer = await metadataV12.api
      .async(connection, [topic], false, false)
      .catch((error: unknown) => partialAnswer(error))
    const found = answer.topics.find(({ name }) => name === topic)
    const leaders: number[] = []
    for (const { partitionIndex, leaderId } of found?.partitions ?? []) leaders[partitionIndex] = leaderId
    if (leaders.length === 0) throw topicsMissing([topic])
    this.#leaders.set(topic, leaders)
    return leaders
  }

  #askCoordinator<T>(
    what: string,
    kind: keyof typeof coordinatorKinds,
    id: string,
    request: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const key = `${kind} ${id}`
    return this.#ask(what, async () => {
      try {
        const coordinator = this.#coordinators.get(key) ?? (await this.#lookUpCoordinator(key, kind, id))
        return await request(await this.#connect(coordinator, id))
      } catch (error) {
        this.#coordinators.delete(key)
        throw error
      }
    })
  }

  async #lookUpCoordinator(key: string, kind: keyof typeof coordinatorKinds, id: string): Promise<number> {
    const connection = await this.#connectToAny()
    const answer = await findCoordinatorV4.api.async(connection, coordinatorKinds[kind], [id])
    const found = answer.coordinators[0]?.nodeId ?? -1
    this.#coordinators.set(key, found)
    return found
  }

  async #connect(broker: number, whose: string): Promise<Connection> {
    if (this.#stale || !(await this.#brokers()).includes(broker)) await this.#brokers(true)
    const connection = (await this.#admin.connectToBrokers(broker < 0 ? [-1] : [broker])).get(broker)
    if (connection === undefined) throw new KafkaUnreachableError(`No broker leads ${whose} at the moment.`)
    return connection
  }

  async #connectToAny(): Promise<Connection> {
    let last: unknown = new KafkaUnreachableError('No broker takes part in the cluster.')
    for (const broker of await this.#brokers(this.#stale)) {
      try {
        const connection = (await this.#admin.connectToBrokers([broker])).get(broker)
        if (connection !== undefined) return connection
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  async #brokers(forceUpdate = false): Promise<number[]> {
    const metadata = await this.#admin.metadata({ topics: [], forceUpdate })
    this.#stale = false
    return [...metadata.brokers.keys()]
  }

  async #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#stale = true
      // Only the client's own errors are Kafka's doing.
      throw GenericError.isGenericError(error as Error) ? kafkaError(what, error as Error) : error
    }
  }
}

type MetadataAnswer = Awaited<ReturnType<typeof metadataV12.api.async>>

function partialAnswer(error: unknown): MetadataAnswer {
  const { response } = error as { response?: MetadataAnswer }
  if (response?.topics.some(({ partitions }) => partitions.length > 0)) return response
  throw error
}

function topicsMissing(topics: readonly string[]): KafkaTopicMissingError {
  return new KafkaTopicMissingError(
    `Kafka has no topic ${topics.join(', ')}: millwright deploy makes the topics of a plant, and so does npm run cluster -- up for the development cluster.`,
    { details: { topics: topics.join(',') } },
  )
}
