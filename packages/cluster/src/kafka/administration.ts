import {
  clientOptions,
  type KafkaConnection,
  KafkaRefusedError,
  KafkaUnreachableError,
  kafkaError,
  protocolErrorName,
} from '@millwright/gateways/kafka'
import { Admin, ConfigResourceTypes, describeQuorumV1, GenericError } from '@platformatic/kafka'
import type { TopicDefinition } from './topic-definitions.ts'
import { compareTopic, type TopicDifference, type TopicFound } from './topic-report.ts'

/** The log in which the controllers agree on everything. */
const metadataTopic = '__cluster_metadata'
/** A new topic is known to the broker that made it before it is known to all. */
const visibleMsMax = 15_000
const pollMs = 100

/** Kafka's own view of its nodes. */
export interface KafkaQuorum {
  readonly clusterId: string
  /** Numbers of the brokers that take part, ascending. */
  readonly brokers: readonly number[]
  /** Number of the controller that leads; `null` while there is none. */
  readonly leader: number | null
  /** Numbers of the controllers that may vote, ascending. */
  readonly voters: readonly number[]
  /** Those of them that have kept up: they fetched within the last seconds. */
  readonly votersInTouch: readonly number[]
}

/** What `ensureTopics` did and found. */
export interface TopicReport {
  readonly created: readonly string[]
  readonly existing: readonly string[]
  readonly differences: readonly TopicDifference[]
}

/** A voter that has not fetched for so long is out of touch: the default of `controller.quorum.fetch.timeout.ms`, doubled. */
const voterSilenceMsMax = 4_000

/** Topics and nodes of a Kafka cluster. Keeps its connections until it is closed. */
export class KafkaAdministration {
  readonly #admin: Admin

  constructor(connection: KafkaConnection) {
    this.#admin = new Admin(clientOptions(connection, 'millwright-administration'))
  }

  async close(): Promise<void> {
    await this.#admin.close()
  }

  /**
   * Looks at the nodes.
   *
   * @throws {KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  async quorum(): Promise<KafkaQuorum> {
    return this.#ask('look at the brokers', async () => {
      const metadata = await this.#admin.metadata({ topics: [], forceUpdate: true })
      const brokers = [...metadata.brokers.keys()].sort((a, b) => a - b)
      const connections = await this.#admin.connectToBrokers(brokers.slice(0, 1))
      const connection = [...connections.values()][0]
      if (connection === undefined) throw new KafkaUnreachableError('No broker takes part in the cluster.')
      // The version that brokers before 3.9 have too.
      const answer = await describeQuorumV1.api.async(connection, [
        { topicName: metadataTopic, partitions: [{ partitionIndex: 0 }] },
      ])
      const partition = answer.topics[0]?.partitions[0]
      const voters = partition?.currentVoters ?? []
      const newest = voters.reduce(
        (time, voter) => (voter.lastFetchTimestamp > time ? voter.lastFetchTimestamp : time),
        0n,
      )
      return {
        clusterId: metadata.id,
        brokers,
        leader: partition === undefined || partition.leaderId < 0 ? null : partition.leaderId,
        voters: ascending(voters.map((voter) => voter.replicaId)),
        votersInTouch: ascending(
          voters
            .filter((voter) => newest - voter.lastFetchTimestamp <= BigInt(voterSilenceMsMax))
            .map((voter) => voter.replicaId),
        ),
      }
    })
  }

  /**
   * Makes the topics that are not there and compares those that are. An existing topic is never changed.
   *
   * @throws {KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  async ensureTopics(definitions: readonly TopicDefinition[]): Promise<TopicReport> {
    return this.#ask('make the topics', async () => {
      const created = new Set<string>()
      for (const deadlineMs = performance.now() + visibleMsMax; ; ) {
        for (const name of await this.#createMissing(definitions)) created.add(name)
        try {
          const differences: TopicDifference[] = []
          for (const definition of definitions)
            differences.push(...compareTopic(definition, await this.#find(definition)))
          const names = definitions.map(({ name }) => name)
          return {
            created: names.filter((name) => created.has(name)),
            existing: names.filter((name) => !created.has(name)),
            differences,
          }
        } catch (error) {
          // Brokers learn of what was made, and of what was removed just before, one after the other.
          const isUnknown = protocolErrorName(error) === 'UNKNOWN_TOPIC_OR_PARTITION'
          if (!isUnknown || performance.now() > deadlineMs) throw error
          await pause()
        }
      }
    })
  }

  /** Removes topics and all that is in them; those that are not there are left out. */
  async removeTopics(names: readonly string[]): Promise<void> {
    await this.#ask('remove the topics', async () => {
      const there = new Set(await this.#admin.listTopics())
      const topics = names.filter((name) => there.has(name))
      if (topics.length > 0) await this.#admin.deleteTopics({ topics })
    })
  }

  /** @returns The names of those that were made, when brokers list them. */
  async #createMissing(definitions: readonly TopicDefinition[]): Promise<string[]> {
    const there = new Set(await this.#admin.listTopics())
    const created: string[] = []
    for (const definition of definitions)
      if (!there.has(definition.name) && (await this.#create(definition))) created.push(definition.name)
    await this.#awaitVisible(created)
    return created
  }

  /** @returns `false` when another was quicker. */
  async #create(definition: TopicDefinition): Promise<boolean> {
    try {
      await this.#admin.createTopics({
        topics: [definition.name],
        partitions: definition.partitionCount,
        replicas: definition.replicationFactor,
        configs: Object.entries(definition.settings).map(([name, value]) => ({ name, value })),
      })
      return true
    } catch (error) {
      if (protocolErrorName(error) === 'TOPIC_ALREADY_EXISTS') return false
      throw error
    }
  }

  async #awaitVisible(names: readonly string[]): Promise<void> {
    for (const deadlineMs = performance.now() + visibleMsMax; ; ) {
      const there = new Set(await this.#admin.listTopics())
      const missing = names.filter((name) => !there.has(name))
      if (missing.length === 0) return
      if (performance.now() > deadlineMs)
        throw new KafkaRefusedError(`The topics ${missing.join(', ')} were made, but are not there.`)
      await pause()
    }
  }

  async #find(definition: TopicDefinition): Promise<TopicFound> {
    const metadata = await this.#admin.metadata({ topics: [definition.name], forceUpdate: true })
    const partitions = metadata.topics.get(definition.name)?.partitions ?? []
    const [described] = await this.#admin.describeConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: definition.name,
          configurationKeys: Object.keys(definition.settings),
        },
      ],
    })
    return {
      partitionCount: partitions.length,
      replicationFactor: Math.min(...partitions.map((partition) => partition.replicas.length)),
      settings: Object.fromEntries((described?.configs ?? []).map(({ name, value }) => [name, value ?? ''])),
    }
  }

  async #ask<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // Only the client's own errors are Kafka's doing.
      throw GenericError.isGenericError(error as Error) ? kafkaError(what, error as Error) : error
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs))
}

function ascending(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b)
}
