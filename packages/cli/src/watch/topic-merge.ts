import { openTopicReader, type TopicReader, type TopicRecord } from '@millwright/engine'
import { type WatchedRecord, type WatchedTopic, watchedTopics } from '@millwright/monitoring'

/** Where reading goes on: the next offset of each lane, by `topic/partition`. */
export type MergePositions = Readonly<Record<string, number>>

/** What people write: one partition each, taken up to the very cut. */
const peopleTopics: readonly WatchedTopic[] = ['maintenance-feedback', 'case-commands']

interface Lane {
  readonly name: string
  readonly topic: WatchedTopic
  /** Among lanes whose records have one append time. */
  readonly order: number
  readonly reader: TopicReader
  /** Read and not taken yet. */
  head: TopicRecord | null
  nextOffset: number
}

const decoder = new TextDecoder()

/**
 * The topics that the watcher reads, of a data folder, as one sequence: by append time, then in the order of `watchedTopics`, then
 * by partition. What is taken is always the beginning of that sequence, whatever was written meanwhile and however often reading
 * was taken up again, as long as no more is asked for than `readStoreCut` allows.
 */
export class TopicMerge {
  readonly #lanes: readonly Lane[]
  /** The cut for which lanes without a record were last asked for one: before it, none comes any more. */
  #askedForMs = Number.NEGATIVE_INFINITY

  /**
   * @param partitionCount Of the plan. What was refused as a verdict stands behind those of `dead-letters`, and says nothing here.
   * @param positions Where an earlier reading stood; lanes that it does not name are read from the oldest record.
   * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
   */
  constructor(directory: string, partitionCount: number, positions: MergePositions = {}) {
    this.#lanes = watchedTopics.flatMap((topic, topicIndex) =>
      Array.from({ length: peopleTopics.includes(topic) ? 1 : partitionCount }, (_, partition): Lane => {
        const name = `${topic}/${partition}`
        const fromOffset = positions[name] ?? 0
        const reader = openTopicReader({ directory, topic, partition, fromOffset })
        const order = topicIndex * partitionCount + partition
        return { name, topic, order, reader, head: null, nextOffset: fromOffset }
      }),
    )
  }

  /**
   * Hands over the next records, those appended before `cutMs` (what people wrote: at it, too).
   *
   * @returns How many; fewer than `recordsMax` where there are no more.
   * @throws {LogCorruptError}
   */
  take(cutMs: number, recordsMax: number, visit: (record: WatchedRecord) => void): number {
    if (cutMs !== this.#askedForMs) for (const lane of this.#lanes) lane.head ??= lane.reader.next()
    this.#askedForMs = cutMs
    let taken = 0
    while (taken < recordsMax) {
      const [first, second] = this.#firstTwo()
      if (first === null) break
      // Its records are next as long as they stand before the other's.
      for (let head = first.head; head !== null && taken < recordsMax; head = first.head) {
        const late = peopleTopics.includes(first.topic) ? head.appendTimeMs > cutMs : head.appendTimeMs >= cutMs
        if (late) return taken
        if (second !== null && !isBefore(first, second)) break
        visit({ topic: first.topic, appendTimeMs: head.appendTimeMs, text: decoder.decode(head.value) })
        taken += 1
        first.nextOffset = head.offset + 1
        first.head = first.reader.next()
      }
    }
    return taken
  }

  /** Where a later reading goes on after what was taken. */
  positions(): MergePositions {
    return Object.fromEntries(this.#lanes.map(({ name, nextOffset }) => [name, nextOffset]))
  }

  close(): void {
    for (const { reader } of this.#lanes) reader.close()
  }

  #firstTwo(): [Lane | null, Lane | null] {
    let first: Lane | null = null
    let second: Lane | null = null
    for (const lane of this.#lanes) {
      if (lane.head === null) continue
      if (first === null || isBefore(lane, first)) {
        second = first
        first = lane
      } else if (second === null || isBefore(lane, second)) second = lane
    }
    return [first, second]
  }
}

function isBefore(a: Lane, b: Lane): boolean {
  const [left, right] = [timeOf(a), timeOf(b)]
  return left < right || (left === right && a.order < b.order)
}

function timeOf({ head }: Lane): number {
  return head?.appendTimeMs ?? Number.POSITIVE_INFINITY
}
