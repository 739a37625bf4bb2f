import { Admin, type Connection, fetchV12, listOffsetsV6, listTransactionsV1 } from '@platformatic/kafka'
import { type BrokerRole, brokerNumber, brokerRoles } from '../../../packages/cluster/src/development/roles.ts'
import { committedRecords, type LogBatch } from '../../../packages/gateways/src/kafka/committed-records.ts'
import {
  BrokerLink,
  clientOptions,
  type KafkaConnection,
  type KafkaRecord,
  TopicReader,
} from '../../../packages/gateways/src/kafka/index.ts'
import { eventually, pause } from '../support/proof.ts'

/** `isolation_level` of Kafka's requests. */
const isolation = { uncommitted: 0, committed: 1 } as const
const fetchBytesMax = 1024 * 1024
/** Whoever asks makes connections anew, on a machine that is busy enough. */
const betweenQuestionsMs = 400

/** Where a partition ends for readers of everything, and for readers of what is committed: its last stable offset. */
export interface PartitionEnds {
  readonly end: number
  readonly stable: number
}

/** A partition of a topic. */
export interface Place {
  readonly topic: string
  readonly partition: number
}

/** A record of a transaction that was open when it was looked at. */
export interface OpenRecord extends Place {
  readonly offset: number
  readonly transactionalId: string
}

/** Looks at topics as no reader of the product does: at what is not committed, and at who has it open. */
export class KafkaProbe {
  readonly #kafka: KafkaConnection
  readonly #link: BrokerLink
  readonly #admin: Admin
  readonly #topics: readonly string[]
  /** Numbers of the leading brokers, by `topic-partition`; empty: to be looked up. */
  #leading: ReadonlyMap<string, number> = new Map()

  /** @param topics Whose ends will be asked for. */
  constructor(kafka: KafkaConnection, topics: readonly string[]) {
    this.#topics = topics
    this.#kafka = { ...kafka, timeoutMs: 5_000 }
    this.#link = new BrokerLink(this.#kafka, 'proof')
    this.#admin = new Admin({ ...clientOptions(this.#kafka, 'proof'), retries: 0 })
  }

  async close(): Promise<void> {
    await Promise.all([this.#link.close(), this.#admin.close()])
  }

  /** The ends of many partitions by two requests a broker; `null` for those whose leader did not answer. */
  async endsOf(places: readonly Place[]): Promise<(PartitionEnds | null)[]> {
    if (this.#leading.size === 0) this.#leading = await this.#lookUpLeaders().catch(() => new Map())
    const leaderOf = ({ topic, partition }: Place): number => this.#leading.get(`${topic}-${partition}`) ?? -1
    const answers = await Promise.all(
      [...new Set(places.map(leaderOf))].map(async (leader) => {
        const own = places.filter((place) => leaderOf(place) === leader)
        const found = leader < 0 ? null : await this.#endsAt(leader, own).catch(() => null)
        if (found === null) this.#leading = new Map()
        return own.map((place, i) => [place, found?.[i] ?? null] as const)
      }),
    )
    const ends = new Map(answers.flat())
    return places.map((place) => ends.get(place) ?? null)
  }

  /** @throws While nobody leads the partition. */
  async ends(topic: string, partition: number): Promise<PartitionEnds> {
    const [ends] = await this.endsOf([{ topic, partition }])
    if (ends === null || ends === undefined) throw new Error(`the leader of ${topic}-${partition} does not answer`)
    return ends
  }

  /** Reads a partition's records, also of transactions that are open or were taken back, but not their markers. */
  async uncommitted(topic: string, partition: number, from = 0): Promise<KafkaRecord[]> {
    const { end } = await this.ends(topic, partition)
    const records: KafkaRecord[] = []
    for (let next = from; next < end; ) {
      const batches = await this.#batches(topic, partition, next)
      // None named as taken back: none is left out.
      const fetched = committedRecords(partition, next, batches, [])
      for (const record of fetched.records) records.push(record)
      next = fetched.next
    }
    return records
  }

  async committed(topic: string, partition: number, from = 0): Promise<KafkaRecord[]> {
    const reader = await TopicReader.open(this.#kafka, topic)
    try {
      const records: KafkaRecord[] = []
      for await (const record of reader.read({ partition, from })) records.push(record)
      return records
    } finally {
      await reader.close()
    }
  }

  /**
   * A record of a topic that readers see only where they ask for what is not committed: the first of its partition. `null` when there
   * is none.
   *
   * @param chance Which partition is looked at first.
   */
  async openRecord(topic: string, partitionCount: number, chance: () => number): Promise<OpenRecord | null> {
    const first = Math.floor(chance() * partitionCount)
    const places = Array.from({ length: partitionCount }, (_, i) => ({
      topic,
      partition: (first + i) % partitionCount,
    }))
    const found = await this.endsOf(places)
    for (const [i, { partition }] of places.entries()) {
      const ends = found[i] ?? null
      if (ends === null || ends.stable >= ends.end) continue
      const { stable } = ends
      const batch = (await this.#batches(topic, partition, stable))[0]
      if (batch === undefined || Number(batch.firstOffset) > stable) continue
      const transactionalId = await this.#ongoing(batch.producerId)
      if (transactionalId !== null) return { topic, partition, offset: stable, transactionalId }
    }
    return null
  }

  /** The brokers that lead partitions of topics, by `topic-partition`. */
  async leaders(topics: readonly string[]): Promise<Map<string, BrokerRole>> {
    const { topics: found } = await this.#ask((admin) => admin.metadata({ topics: [...topics], forceUpdate: true }))
    const leaders = new Map<string, BrokerRole>()
    for (const [topic, { partitions }] of found)
      for (const [partition, { leader }] of Object.entries(partitions)) {
        const role = brokerRoles.find((broker) => brokerNumber(broker) === leader)
        if (role !== undefined) leaders.set(`${topic}-${partition}`, role)
      }
    return leaders
  }

  /** Waits until every copy of every partition of topics is in sync. */
  async allInSync(topics: readonly string[], secondsMax: number): Promise<void> {
    await eventually('all copies are in sync', secondsMax, async () => {
      const inSync = await this.#ask(async (admin) => {
        const { topics: found } = await admin.metadata({ topics: [...topics], forceUpdate: true })
        const partitions = [...found.values()].flatMap((topic) => topic.partitions)
        return partitions.every(({ isr, replicas, leader }) => leader >= 0 && isr.length === replicas.length)
      }).catch(() => false)
      if (inSync) return true
      await pause(betweenQuestionsMs)
      return null
    })
  }

  /** The transactional id of a producer whose transaction is open; `null` where it has none. */
  async #ongoing(producerId: bigint): Promise<string | null> {
    const answers = await this.#ask(async (admin) => {
      const { brokers } = await admin.metadata({ topics: [], forceUpdate: true })
      const connections = await admin.connectToBrokers([...brokers.keys()])
      return Promise.all([...connections.values()].map((connection) => transactionsOf(connection, producerId)))
    })
    return answers.flat()[0] ?? null
  }

  async #batches(topic: string, partition: number, from: number): Promise<readonly LogBatch[]> {
    const wanted = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(from),
      lastFetchedEpoch: -1,
      partitionMaxBytes: fetchBytesMax,
    }
    const topics = [{ topicId: topic, partitions: [wanted] }]
    const answer = await this.#link.askLeader(`read ${topic}-${partition}`, topic, partition, (connection) =>
      fetchV12.api.async(connection, 500, 1, fetchBytesMax, isolation.uncommitted, 0, -1, topics, [], ''),
    )
    return answer.responses[0]?.partitions[0]?.records ?? []
  }

  async #endsAt(leader: number, places: readonly Place[]): Promise<PartitionEnds[]> {
    const connection = (await this.#admin.connectToBrokers([leader])).get(leader)
    if (connection === undefined) throw new Error(`broker ${leader} is not there`)
    // The stable offset first: asked in the other order, a commit between the two would look like an end before it.
    const stable = await offsetsAt(connection, places, isolation.committed)
    const ends = await offsetsAt(connection, places, isolation.uncommitted)
    return ends.map((end, i) => ({ end, stable: stable[i] as number }))
  }

  async #lookUpLeaders(): Promise<Map<string, number>> {
    const found = (await this.#admin.metadata({ topics: [...this.#topics], forceUpdate: true })).topics
    return new Map(
      this.#topics.flatMap((topic) =>
        Object.entries(found.get(topic)?.partitions ?? {}).map(
          ([partition, { leader }]) => [`${topic}-${partition}`, leader] as const,
        ),
      ),
    )
  }

  async #ask<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = new Admin({ ...clientOptions(this.#kafka, 'proof'), retries: 1 })
    try {
      return await work(admin)
    } finally {
      await admin.close()
    }
  }
}

async function offsetsAt(connection: Connection, places: readonly Place[], level: number): Promise<number[]> {
  const topics = [...new Set(places.map(({ topic }) => topic))].map((name) => ({
    name,
    partitions: places
      .filter(({ topic }) => topic === name)
      .map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: -1n })),
  }))
  const answer = await listOffsetsV6.api.async(connection, -1, level, topics)
  return places.map(({ topic, partition }) => {
    const found = answer.topics.find(({ name }) => name === topic)
    return Number(found?.partitions.find(({ partitionIndex }) => partitionIndex === partition)?.offset ?? -1)
  })
}

async function transactionsOf(connection: Connection, producerId: bigint): Promise<string[]> {
  const answer = await listTransactionsV1.api.async(connection, ['Ongoing'], [producerId], -1n, null)
  return answer.transactionStates.map(({ transactionalId }) => transactionalId)
}
