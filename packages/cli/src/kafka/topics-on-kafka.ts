import { type TopicName, topicNames } from '@millwright/core'
import { type KafkaConnection, type KafkaRecord, mergeByTime, TopicReader } from '@millwright/gateways/kafka'
import { isPart, partHead } from './package-assembly.ts'

/** One partition of a topic. */
export interface KafkaTopicSummary {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: number
  /** Of the next committed record, at least. */
  readonly endOffset: number
}

/** Where the topics of a plant begin and end. @throws {KafkaTopicMissingError} When one is not there, and as `TopicReader.open`. */
export async function listKafkaTopics(connection: KafkaConnection): Promise<KafkaTopicSummary[]> {
  const summaries: KafkaTopicSummary[] = []
  for (const topic of topicNames) {
    const reader = await TopicReader.open(connection, topic)
    try {
      const [first, end] = await Promise.all([reader.offsets('beginning'), reader.offsets('end')])
      for (const [partition, endOffset] of end.entries())
        summaries.push({ topic, partition, firstOffset: first[partition] ?? 0, endOffset })
    } finally {
      await reader.close()
    }
  }
  return summaries
}

/** What of a topic is wanted. */
export interface KafkaTopicRange {
  readonly topic: string
  /** Only this partition; `null`: all. */
  readonly partition: number | null
  /** First offset in each partition, or the first record appended at a time or later; `null`: for `follow` the last records, else all. */
  readonly from: { readonly offset: number } | { readonly timeMs: number } | null
  /** Records that are shown first where `follow` begins at the end. */
  readonly tailRecords: number
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly onAway: (error: Error | null) => void
}

/**
 * Reads a topic: what is there merged by append time, then, where it follows, each record as it comes, each partition in its order.
 *
 * @throws As `TopicReader.open`.
 */
export async function* readKafkaTopic(
  connection: KafkaConnection,
  range: KafkaTopicRange,
): AsyncGenerator<KafkaRecord, void> {
  const reader = await TopicReader.open(connection, range.topic)
  try {
    const partitions = [...Array(reader.partitionCount).keys()].filter(
      (partition) => range.partition === null || partition === range.partition,
    )
    const ends = await reader.offsets('end')
    const from = await firstOffsets(reader, range, ends)
    const { signal } = range
    const bounded = partitions.map((partition) =>
      reader.read({ partition, from: from[partition] ?? 0, to: ends[partition] ?? 0, signal }),
    )
    const isTail = range.follow && range.from === null
    yield* isTail ? lastOf(mergeByTime(bounded), range.tailRecords) : mergeByTime(bounded)
    if (range.follow) yield* asTheyCome(reader, partitions, ends, range)
  } finally {
    await reader.close()
  }
}

async function firstOffsets(
  reader: TopicReader,
  { from, follow, tailRecords }: KafkaTopicRange,
  ends: readonly number[],
): Promise<readonly number[]> {
  if (from === null) {
    const first = await reader.offsets('beginning')
    if (!follow) return first
    // Markers of transactions take offsets too: some more are read, and the last records of them shown.
    return ends.map((end, partition) => Math.max(first[partition] ?? 0, end - 4 * tailRecords))
  }
  return 'timeMs' in from ? reader.offsets(from) : ends.map(() => from.offset)
}

async function* lastOf(records: AsyncIterable<KafkaRecord>, count: number): AsyncGenerator<KafkaRecord, void> {
  const last: KafkaRecord[] = []
  for await (const record of records) {
    last.push(record)
    if (last.length > count) last.shift()
  }
  yield* last
}

/** One record of each partition waits to be taken: a slow reader holds back the fetching, and memory does not grow. */
async function* asTheyCome(
  reader: TopicReader,
  partitions: readonly number[],
  ends: readonly number[],
  { signal, onAway }: KafkaTopicRange,
): AsyncGenerator<KafkaRecord, void> {
  const stop = new AbortController()
  const waiting: { readonly record: KafkaRecord; readonly taken: () => void }[] = []
  let wake = (): void => undefined
  const follow = async (partition: number): Promise<void> => {
    const range = {
      partition,
      from: ends[partition] ?? 0,
      follow: true,
      signal: AbortSignal.any([signal, stop.signal]),
    }
    for await (const record of reader.read({ ...range, onAway }))
      await new Promise<void>((taken) => {
        waiting.push({ record, taken })
        wake()
      })
  }
  let ended = false
  const following = Promise.all(partitions.map(follow)).finally(() => {
    ended = true
    wake()
  })
  // Thrown where it is waited for.
  following.catch(() => undefined)
  try {
    while (!ended || waiting.length > 0) {
      const next = waiting.shift()
      if (next !== undefined) {
        yield next.record
        next.taken()
      } else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    await following
  } finally {
    stop.abort()
    for (const { taken } of waiting) taken()
    await following.catch(() => undefined)
  }
}

/** What is printed of a record: its value, or of a part of a model package, which is no text, what it is. */
export function shownValue(topic: TopicName, { value }: KafkaRecord): Uint8Array {
  if (topic !== 'model-updates' || !isPart(value)) return value
  const { part, partCount, sha256 } = partHead(value)
  return Buffer.from(JSON.stringify({ packagePart: part, of: partCount, sha256, byteLength: value.length }))
}
