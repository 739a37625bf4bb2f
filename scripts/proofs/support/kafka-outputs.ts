import type { OutputTopic } from '@millwright/core'
import { type KafkaConnection, type KafkaRecord, TopicReader } from '@millwright/gateways/kafka'
import { byDeviceAndTopic, type StepOutput } from '@millwright/testkit'
import { eventually, pause } from './proof.ts'

/** How long to wait before topics are asked again. */
const askEveryMs = 500

/** Where topics stood at a moment: what is after it is read from here. */
export type TopicMarks = ReadonlyMap<string, readonly number[]>

/** Where topics end now. */
export async function topicEnds(connection: KafkaConnection, topics: readonly string[]): Promise<TopicMarks> {
  const ends = await Promise.all(
    topics.map((topic) => withReader(connection, topic, (reader) => reader.offsets('end'))),
  )
  return new Map(topics.map((topic, i) => [topic, ends[i] as number[]]))
}

/** Calls `take` for each committed record of a topic, partition by partition, each in its order, up to the end it has now. */
export async function readCommitted(
  connection: KafkaConnection,
  topic: string,
  from: readonly number[],
  take: (record: KafkaRecord) => void,
): Promise<void> {
  await withReader(connection, topic, async (reader) => {
    for (let partition = 0; partition < reader.partitionCount; partition++)
      for await (const record of reader.read({ partition, from: from[partition] ?? 0 })) take(record)
  })
}

/** Committed outputs since the marks. */
export async function committedOutputs(connection: KafkaConnection, marks: TopicMarks): Promise<StepOutput[]> {
  const found: StepOutput[] = []
  const decoder = new TextDecoder()
  for (const [topic, from] of marks)
    await readCommitted(connection, topic, from, ({ key, value }) => {
      const deviceId = key === null || key === '' ? null : key
      found.push({ topic: topic as OutputTopic, deviceId, line: decoder.decode(value), step: null })
    })
  return found
}

/** How many records were committed on topics since the marks. Markers of transactions have offsets too, so records are counted. */
async function committedCount(connection: KafkaConnection, marks: TopicMarks): Promise<number> {
  let count = 0
  for (const [topic, from] of marks) await readCommitted(connection, topic, from, () => (count += 1))
  return count
}

/**
 * Where two sets of outputs differ: each device's sequence on each topic is compared as bytes; what is of no device, which
 * several partitions give, in any order. Empty where they are equal.
 */
export function differences(found: readonly StepOutput[], wanted: readonly StepOutput[]): string[] {
  const [ours, theirs] = [linesOf(found), linesOf(wanted)]
  const told: string[] = []
  for (const group of new Set([...ours.keys(), ...theirs.keys()])) {
    const [a, b] = [ours.get(group) ?? [], theirs.get(group) ?? []]
    const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i).find((i) => a[i] !== b[i])
    if (at !== undefined) told.push(`${group}, message ${at}:\n    ${a[at] ?? 'none'}\n    wanted ${b[at] ?? 'none'}`)
  }
  return told
}

/** Waits until so many records are committed on topics since the marks. */
export async function awaitCommitted(
  connection: KafkaConnection,
  marks: TopicMarks,
  count: number,
  secondsMax: number,
): Promise<void> {
  await eventually(`${count} committed records`, secondsMax, async () => {
    const ends = await topicEnds(connection, [...marks.keys()])
    const offsets = [...ends].flatMap(([topic, end]) => end.map((offset, i) => offset - (marks.get(topic)?.[i] ?? 0)))
    // Offsets, which cost little to ask for, are an upper bound: markers have some too.
    const enough = offsets.reduce((sum, offset) => sum + offset, 0) >= count
    if (enough && (await committedCount(connection, marks)) >= count) return true
    await pause(askEveryMs)
    return null
  })
}

function linesOf(outputs: readonly StepOutput[]): Map<string, string[]> {
  return new Map(
    [...byDeviceAndTopic(outputs)].map(([group, messages]) => {
      const lines = messages.map(({ line }) => line)
      return [group, group.endsWith(' of no device') ? lines.sort() : lines] as const
    }),
  )
}

async function withReader<T>(
  connection: KafkaConnection,
  topic: string,
  use: (reader: TopicReader) => Promise<T>,
): Promise<T> {
  const reader = await TopicReader.open(connection, topic)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}
