import { offsetFetchV8 } from '@platformatic/kafka'
import type { BrokerLink } from './broker-link.ts'
import { firstTimeFrom } from './fetch-committed.ts'
import { newestTimeOf, writtenEndOf } from './offset-lookup.ts'

/** A topic and how many partitions it has. */
export interface PartitionedTopic {
  readonly topic: string
  readonly partitionCount: number
}

/** How far operators that run elsewhere have come, by what they left in Kafka. Times are append times, epoch milliseconds. */
export interface Progress {
  /** What records appended before that brought about is written; −Infinity where nothing is known. */
  readonly recordsBeforeMs: number
  /** What was due before that by timers is written, too. */
  readonly timersBeforeMs: number
  /** Where it is: before these offsets, by `topic/partition`, committed or not. */
  readonly endOffsets: ReadonlyMap<string, number>
}

/** A partition of a topic. */
export interface Place {
  readonly topic: string
  readonly partition: number
}

/** What is asked of Kafka. All may reject, as `BrokerLink.askLeader`. */
export interface ProgressPort {
  /** The offsets up to which the job has left its places, one for each of the inputs; −1 where it left none. */
  placesOfJob(inputs: readonly Place[]): Promise<readonly number[]>
  /** Append time of the newest record, committed or not; `null` where there is none. */
  newestTimeMs(input: Place): Promise<number | null>
  /** Append time of the first record at or after an offset, committed or not; `null` where there is none. */
  firstTimeMs(input: Place, from: number): Promise<number | null>
  /** The offset beyond all that was written, committed or not. */
  writtenEnd(output: Place): Promise<number>
}

/**
 * Asks how far the operators of a job on Flink have come, with no word of Flink's.
 *
 * P1. The places that the job leaves in its consumer group are those of a checkpoint that is complete. At a checkpoint everything that came
 *     of the records before is flushed to the topics, in transactions that are open or committed. So what those records brought about
 *     stands before the ends that the outputs have *after* the places were read.
 * P2. A record at or after such a place was appended at or after the time of the first one there; where there is none, of the newest
 *     one of the partition: append times do not fall within a partition.
 * P3. A timer goes off when every source has told its time, which each does some five times a second: what was due before the places
 *     of one checkpoint has gone off by the next one.
 */
export class OperatorProgress {
  readonly #port: ProgressPort
  readonly #inputs: readonly Place[]
  readonly #outputs: readonly Place[]
  #places: readonly number[] = []
  #beforeMs = Number.NEGATIVE_INFINITY
  #waitsFor: string | null = null

  constructor(
    port: ProgressPort,
    of: { readonly inputs: readonly PartitionedTopic[]; readonly outputs: readonly PartitionedTopic[] },
  ) {
    this.#port = port
    this.#inputs = placesOf(of.inputs)
    this.#outputs = placesOf(of.outputs)
  }

  /** A partition of the inputs that holds everything back, since the job has read nothing of it yet; `null` where none does. */
  get waitsFor(): string | null {
    return this.#waitsFor
  }

  /** Looks once. @returns `null` while no checkpoint has passed since the last look. @throws What the port does. */
  async look(): Promise<Progress | null> {
    const places = await this.#port.placesOfJob(this.#inputs)
    const unread = this.#inputs.find((_, index) => (places[index] ?? -1) < 0)
    this.#waitsFor = unread === undefined ? null : laneOf(unread)
    if (unread !== undefined || places.every((place, index) => place === this.#places[index])) return null
    const timesMs = await Promise.all(
      this.#inputs.map((input, index) => this.#timeFrom(input, places[index] as number)),
    )
    const ends = await Promise.all(this.#outputs.map((output) => this.#port.writtenEnd(output)))
    const timersBeforeMs = this.#beforeMs
    this.#places = places
    this.#beforeMs = Math.min(...timesMs)
    return {
      recordsBeforeMs: this.#beforeMs,
      timersBeforeMs,
      endOffsets: new Map(this.#outputs.map((output, index) => [laneOf(output), ends[index] as number])),
    }
  }

  /** P2. The newest one is asked for before: what comes between the two questions is not older. */
  async #timeFrom(input: Place, from: number): Promise<number> {
    const newestMs = await this.#port.newestTimeMs(input)
    const firstMs = await this.#port.firstTimeMs(input, from)
    return firstMs ?? newestMs ?? Number.NEGATIVE_INFINITY
  }
}

/** Asks brokers over a link; the job's places are those of its consumer group. */
export function progressPortOf(link: BrokerLink, group: string): ProgressPort {
  return {
    placesOfJob: (inputs) => committedPlaces(link, group, inputs),
    newestTimeMs: ({ topic, partition }) => newestTimeOf(link, topic, partition),
    firstTimeMs: ({ topic, partition }, from) => firstTimeFrom(link, { topic, partition, from }),
    writtenEnd: ({ topic, partition }) => writtenEndOf(link, topic, partition),
  }
}

/** The offsets up to which a consumer group has left its places, one for each of the inputs; −1 where it left none. @throws As `BrokerLink.askLeader`. */
export async function committedPlaces(link: BrokerLink, groupId: string, inputs: readonly Place[]): Promise<number[]> {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of inputs) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
  const topics = [...byTopic].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
  const answer = await link.askGroup('ask how far the job has read', groupId, (connection) =>
    offsetFetchV8.api.async(connection, [{ groupId, memberEpoch: -1, topics }], false),
  )
  const found = new Map(
    (answer.groups[0]?.topics ?? []).flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, committedOffset }) => [
        laneOf({ topic: name, partition: partitionIndex }),
        Number(committedOffset),
      ]),
    ),
  )
  return inputs.map((input) => found.get(laneOf(input)) ?? -1)
}

/** The name of a partition among those of several topics. */
export function laneOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`
}

/** Every partition of topics, in their order. */
export function placesOf(topics: readonly PartitionedTopic[]): Place[] {
  return topics.flatMap(({ topic, partitionCount }) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })),
  )
}
