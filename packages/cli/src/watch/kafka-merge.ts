import { assert } from '@millwright/core'
import { type FetchedRecords, type KafkaRecord, laneOf, type PartitionedTopic } from '@millwright/gateways/kafka'
import { type WatchedRecord, type WatchedTopic, watchedTopics } from '@millwright/monitoring'

/** Where reading goes on in each lane, by `topic/partition`: the next offset, and the time of the last record taken (`null`: none yet). */
export type KafkaPositions = Readonly<Record<string, readonly [offset: number, timeMs: number | null]>>

/** Reads one piece of a partition; committed records only. */
export type FetchLane = (lane: {
  readonly topic: string
  readonly partition: number
  readonly from: number
}) => Promise<FetchedRecords>

/** Up to where the topics may be taken. */
export interface KafkaCut {
  /** No record is to come that stands before this time in the sequence, but before `endOffsets`; epoch milliseconds. */
  readonly beforeMs: number
  /** By `topic/partition`. */
  readonly endOffsets: ReadonlyMap<string, number>
}

interface Lane {
  readonly name: string
  readonly topic: WatchedTopic
  readonly partition: number
  /** Among lanes whose records have one time. */
  readonly order: number
  /** Fetched and not taken; from `head` on. */
  records: readonly KafkaRecord[]
  head: number
  /** Where the next fetch begins. */
  fetchFrom: number
  nextOffset: number
  /** Of the last record taken; −Infinity before the first. */
  timeMs: number
}

const decoder = new TextDecoder()
/** How much later than a record's own append time the one of its cause may be: they are of two brokers' clocks. */
const clocksDifferMsMax = 60_000

/**
 * The topics that the watcher reads, on Kafka, as one sequence.
 *
 * M1. The sequence hangs on the records alone: by the append time of what caused them (their own where nobody says), then in the order of
 *     `watchedTopics`, then by partition, then by offset. Within a partition time does not fall: a record that says an earlier one than
 *     the record before it has that one's. A cause is not appended after what it caused: a record that says so, beyond what brokers' clocks may differ, has
 *     its own time, or one line that somebody wrote would hold back its partition until that time has come.
 * M2. What is taken is a beginning of the sequence. A partition where something written is not decided yet (a transaction is open) holds
 *     back what stands after its last record; one that was read to its end does not, however long nothing came there.
 * M3. One fetch of each lane is in memory.
 */
export class KafkaMerge {
  readonly #lanes: readonly Lane[]
  readonly #fetch: FetchLane
  #takenUpToMs = Number.NEGATIVE_INFINITY

  /** @param topics Of each of `watchedTopics`, how many partitions it has. */
  constructor(topics: readonly PartitionedTopic[], fetch: FetchLane, positions: KafkaPositions = {}) {
    this.#fetch = fetch
    const partitionsMax = Math.max(...topics.map(({ partitionCount }) => partitionCount))
    this.#lanes = watchedTopics.flatMap((topic, topicIndex) => {
      const found = topics.find((each) => each.topic === topic)
      assert(found !== undefined, 'every watched topic has partitions')
      return Array.from({ length: found.partitionCount }, (_, partition): Lane => {
        const name = laneOf({ topic, partition })
        const [offset, timeMs] = positions[name] ?? [0, null]
        return {
          name,
          topic,
          partition,
          order: topicIndex * partitionsMax + partition,
          records: [],
          head: 0,
          fetchFrom: offset,
          nextOffset: offset,
          timeMs: timeMs ?? Number.NEGATIVE_INFINITY,
        }
      })
    })
  }

  /** Everything that stands before this time in the sequence was taken; −Infinity before that is known. */
  get takenUpToMs(): number {
    return this.#takenUpToMs
  }

  /**
   * Hands over the next records.
   *
   * @returns How many; fewer than `recordsMax` where the cut, or a transaction that is open, lets no more be taken.
   * @throws What fetching throws: nothing of the records that follow is taken, and the next call goes on.
   */
  async take(
    { beforeMs, endOffsets }: KafkaCut,
    recordsMax: number,
    visit: (record: WatchedRecord) => void,
  ): Promise<number> {
    let taken = 0
    for (;;) {
      await Promise.all(this.#lanes.map((lane) => this.#fill(lane, endOffsets)))
      // M2.
      const undecided = this.#lanes.filter((lane) => isEmpty(lane) && lane.fetchFrom < endOf(lane, endOffsets))
      const untilMs = Math.min(beforeMs, ...undecided.map(({ timeMs }) => timeMs))
      const isUsedUp = this.#takeUntil(untilMs, recordsMax - taken, (record) => {
        taken += 1
        visit(record)
      })
      if (taken >= recordsMax) return taken
      if (isUsedUp) continue
      this.#takenUpToMs = Math.max(this.#takenUpToMs, untilMs)
      return taken
    }
  }

  /** Where a later reading goes on after what was taken. */
  positions(): KafkaPositions {
    return Object.fromEntries(
      this.#lanes.map(({ name, nextOffset, timeMs }) => [
        name,
        [nextOffset, Number.isFinite(timeMs) ? timeMs : null] as const,
      ]),
    )
  }

  /** Takes what is at hand. @returns Whether it ended since a lane is used up, and has to be filled before more may be taken. */
  #takeUntil(untilMs: number, countMax: number, visit: (record: WatchedRecord) => void): boolean {
    for (let count = 0; count < countMax; count++) {
      let first: Lane | null = null
      let firstMs = Number.POSITIVE_INFINITY
      for (const lane of this.#lanes) {
        const timeMs = timeOf(lane)
        if (timeMs < firstMs || (timeMs === firstMs && first !== null && lane.order < first.order)) {
          first = lane
          firstMs = timeMs
        }
      }
      if (first === null || firstMs >= untilMs) return false
      const record = first.records[first.head] as KafkaRecord
      first.head += 1
      first.nextOffset = record.offset + 1
      first.timeMs = firstMs
      visit({ topic: first.topic, appendTimeMs: firstMs, text: decoder.decode(record.value) })
      if (isEmpty(first)) return true
    }
    return false
  }

  async #fill(lane: Lane, endOffsets: ReadonlyMap<string, number>): Promise<void> {
    const end = endOf(lane, endOffsets)
    while (isEmpty(lane) && lane.fetchFrom < end) {
      const { topic, partition, fetchFrom } = lane
      const { records, next } = await this.#fetch({ topic, partition, from: fetchFrom })
      lane.records = records
      lane.head = 0
      lane.fetchFrom = next
      // Something is written there, and not decided.
      if (next === fetchFrom) return
    }
    // Markers of transactions, and what was taken back, need not be read again.
    if (isEmpty(lane)) lane.nextOffset = lane.fetchFrom
  }
}

function isEmpty({ records, head }: Lane): boolean {
  return head >= records.length
}

function endOf({ name }: Lane, endOffsets: ReadonlyMap<string, number>): number {
  return endOffsets.get(name) ?? 0
}

/** M1; +Infinity where nothing is at hand. */
function timeOf({ records, head, timeMs }: Lane): number {
  const record = records[head]
  if (record === undefined) return Number.POSITIVE_INFINITY
  const { appendTimeMs, causeTimeMs } = record
  const isBelieved = causeTimeMs !== null && causeTimeMs <= appendTimeMs + clocksDifferMsMax
  return Math.max(timeMs, isBelieved ? causeTimeMs : appendTimeMs)
}
