import { type OutputTopic, outputTopics } from '../../../packages/core/src/index.ts'
import type { KafkaRecord } from '../../../packages/gateways/src/kafka/index.ts'

/** A record of a topic of output. */
export interface OutputLine {
  readonly topic: OutputTopic
  /** Device; empty where there is none. */
  readonly key: string
  readonly line: string
  /** Topic, partition and offset: no two records have the same. */
  readonly place: string
}

/** Reads all topics of output, each partition in its order. */
export async function readOutputs(
  read: (topic: OutputTopic, partition: number) => Promise<readonly KafkaRecord[]>,
  partitionCount: number,
): Promise<OutputLine[]> {
  const lines: OutputLine[] = []
  for (const topic of outputTopics)
    for (let partition = 0; partition < partitionCount; partition++)
      for (const { offset, key, value } of await read(topic, partition))
        lines.push({
          topic,
          key: key ?? '',
          line: Buffer.from(value).toString(),
          place: `${topic}-${partition} ${offset}`,
        })
  return lines
}

/** What is in a record, wherever it stands. */
export function textOfOutput({ topic, key, line }: OutputLine): string {
  return [topic, key, line].join('\n')
}
