import { type KafkaConnection, type PartitionedTopic, TopicsLink } from '@millwright/gateways/kafka'
import { type WatchedRecord, watchedTopics } from '@millwright/monitoring'
import { operatorsGroup, operatorsInputs } from '../kafka/operators-group.ts'
import { type KafkaCut, KafkaMerge, type KafkaPositions } from './kafka-merge.ts'
import { KafkaPackages, packageTopic } from './kafka-packages.ts'
import type { WatchedSource } from './watched-source.ts'

const inputTopics: readonly string[] = operatorsInputs
const readTopics: readonly string[] = [...inputTopics, ...watchedTopics]
/** For all lanes together: what one fetch of each may take in memory. */
const fetchedBytesMax = 16 * 1024 * 1024
const fetchBytesMin = 64 * 1024

/** The topics of a plant on Kafka: what the operators, wherever they run, have written and committed. */
export class KafkaSource implements WatchedSource {
  readonly packages: KafkaPackages
  /** What tells these topics from those of another cluster. */
  readonly clusterId: string
  readonly #link: TopicsLink
  readonly #isPrudent: boolean
  readonly #inputs: readonly PartitionedTopic[]
  readonly #outputs: readonly PartitionedTopic[]
  #merge: KafkaMerge
  #cut: KafkaCut | null = null

  private constructor(link: TopicsLink, clusterId: string, packages: KafkaPackages, isPrudent: boolean) {
    this.#link = link
    this.clusterId = clusterId
    this.packages = packages
    this.#isPrudent = isPrudent
    this.#inputs = link.topics.filter(({ topic }) => inputTopics.includes(topic))
    this.#outputs = link.topics.filter(({ topic }) => (watchedTopics as readonly string[]).includes(topic))
    this.#merge = this.#mergeFrom({})
  }

  /**
   * @param options.packageFolder Where model packages are kept.
   * @param options.isPrudent Whether what is taken must be taken in the same order by everybody, timers' messages too: what came last then
   *   waits for the job's next checkpoint but one.
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  static async open(options: {
    readonly connection: KafkaConnection
    readonly packageFolder: string
    readonly isPrudent: boolean
    readonly signal?: AbortSignal | undefined
  }): Promise<KafkaSource> {
    const link = await TopicsLink.open(options.connection, [...readTopics, packageTopic], options.signal)
    try {
      const packages = new KafkaPackages(link, options.packageFolder)
      return new KafkaSource(link, await link.clusterId(), packages, options.isPrudent)
    } catch (error) {
      await link.close()
      throw error
    }
  }

  /** Goes on where an earlier reading stood. @returns Whether the topics reach so far; else all is read from the beginning. */
  async goOnFrom(positions: KafkaPositions): Promise<boolean> {
    const ends = await Promise.all(
      this.#outputs.flatMap(({ topic, partitionCount }) =>
        Array.from({ length: partitionCount }, async (_, partition) => {
          const [offset] = positions[`${topic}/${partition}`] ?? [0]
          return offset <= (await this.#link.writtenEnd(topic, partition))
        }),
      ),
    )
    if (!ends.every((isReached) => isReached)) return false
    this.#merge = this.#mergeFrom(positions)
    return true
  }

  get takenUpToMs(): number {
    return this.#merge.takenUpToMs
  }

  get isHeldBack(): boolean {
    return this.#cut !== null && this.#merge.takenUpToMs < this.#cut.beforeMs
  }

  get waitsFor(): string | null {
    return this.#link.waitsFor
  }

  async look(): Promise<boolean> {
    const of = { group: operatorsGroup, inputs: this.#inputs, outputs: this.#outputs }
    const progress = await this.#link.progress(of)
    if (progress === null) return false
    const { recordsBeforeMs, timersBeforeMs, endOffsets } = progress
    const beforeMs = this.#isPrudent ? Math.min(recordsBeforeMs, timersBeforeMs) : recordsBeforeMs
    // Whatever a window was scored by had been published before.
    await this.packages.catchUp()
    // A job that went back to an earlier checkpoint writes nothing that it had not written.
    this.#cut = { beforeMs: Math.max(beforeMs, this.#cut?.beforeMs ?? Number.NEGATIVE_INFINITY), endOffsets }
    return true
  }

  async take(recordsMax: number, visit: (record: WatchedRecord) => void): Promise<number> {
    return this.#cut === null ? 0 : this.#merge.take(this.#cut, recordsMax, visit)
  }

  positions(): KafkaPositions {
    return this.#merge.positions()
  }

  async close(): Promise<void> {
    await this.#link.close()
  }

  #mergeFrom(positions: KafkaPositions): KafkaMerge {
    const laneCount = this.#outputs.reduce((sum, { partitionCount }) => sum + partitionCount, 0)
    const bytesMax = Math.max(fetchBytesMin, Math.floor(fetchedBytesMax / laneCount))
    return new KafkaMerge(this.#outputs, (lane) => this.#link.fetch({ ...lane, bytesMax }), positions)
  }
}
