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

interface Place {
  readonly topic: string
  readonly partition: number
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
  readonly #link: BrokerLink
  readonly #group: string
  readonly #inputs: readonly Place[]
  readonly #outputs: readonly Place[]
  #places: readonly number[] = []
  #beforeMs = Number.NEGATIVE_INFINITY
  #waitsFor: string | null = null

  constructor(
    link: BrokerLink,
    of: {
      readonly group: string
      readonly inputs: readonly PartitionedTopic[]
      readonly outputs: readonly PartitionedTopic[]
    },
  ) {
    this.#link = link
    this.#group = of.group
    this.#inputs = placesOf(of.inputs)
    this.#outputs = placesOf(of.outputs)
  }

  /** A partition of the inputs that holds everything back, since the job has read nothing of it yet; `null` where none does. */
  get waitsFor(): string | null {
    return this.#waitsFor
  }

  /** Looks once. @returns `null` while no checkpoint has passed since the last look. @throws As `BrokerLink.askLeader`. */
  async look(): Promise<Progress | null> {
    const places = await this.#committedPlaces()
    const unread = this.#inputs.find((_, index) => (places[index] ?? -1) < 0)
    this.#waitsFor = unread === undefined ? null : laneOf(unread)
    if (unread !== undefined || places.every((place, index) => place === this.#places[index])) return null
    const timesMs = await Promise.all(
      this.#inputs.map((input, index) => this.#timeFrom(input, places[index] as number)),
    )
    const ends = await Promise.all(
      this.#outputs.map(({ topic, partition }) => writtenEndOf(this.#link, topic, partition)),
    )
    const timersBeforeMs = this.#beforeMs
    this.#places = places
    this.#beforeMs = Math.min(...timesMs)
    return {
      recordsBeforeMs: this.#beforeMs,
      timersBeforeMs,
      endOffsets: new Map(this.#outputs.map((output, index) => [laneOf(output), ends[index] as number])),
    }
  }

  /** P1. @returns −1 for a partition that the group has no place of. */
  async #committedPlaces(): Promise<number[]> {
    const byTopic = new Map<string, number[]>()
    for (const { topic, partition } of this.#inputs) byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition])
    const topics = [...byTopic].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
    const group = { groupId: this.#group, memberEpoch: -1, topics }
    const answer = await this.#link.askGroup('ask how far the job has read', this.#group, (connection) =>
      offsetFetchV8.api.async(connection, [group], false),
    )
    const found = new Map(
      (answer.groups[0]?.topics ?? []).flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, committedOffset }) => [
          laneOf({ topic: name, partition: partitionIndex }),
          Number(committedOffset),
        ]),
      ),
    )
    return this.#inputs.map((input) => found.get(laneOf(input)) ?? -1)
  }

  /** P2. The newest one is asked for before: what comes between the two questions is not older. */
  async #timeFrom({ topic, partition }: Place, from: number): Promise<number> {
    const newestMs = await newestTimeOf(this.#link, topic, partition)
    const firstMs = await firstTimeFrom(this.#link, { topic, partition, from })
    return firstMs ?? newestMs ?? Number.NEGATIVE_INFINITY
  }
}

/** The name of a partition among those of several topics. */
export function laneOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`
}

function placesOf(topics: readonly PartitionedTopic[]): Place[] {
  return topics.flatMap(({ topic, partitionCount }) =>
    Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition })),
  )
}
