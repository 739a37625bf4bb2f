import { setTimeout as pause } from 'node:timers/promises'
import { listTopics, openTopicReader, type TopicReader } from '@millwright/engine'
import type { CaseSource, SourceRecord } from '@millwright/gateways'

const topic = 'cases'
/** Between two looks at a topic on which nothing came. */
const lookEveryMs = 250

/** The topic `cases` of a data folder, for channels of notifications. Needs no lock: each channel reads for itself. */
export function topicCases(directory: string): CaseSource {
  return {
    ends: async () => endsOf(directory),
    follow: (from, signal) => follow(directory, from, signal),
    async at(partition, offset) {
      const reader = openTopicReader({ directory, topic, partition, fromOffset: offset })
      try {
        const record = reader.next()
        return record?.offset === offset ? record : null
      } finally {
        reader.close()
      }
    },
  }
}

function endsOf(directory: string): number[] {
  const ends: number[] = []
  for (const { partition, endOffset } of listTopics(directory).filter((summary) => summary.topic === topic))
    ends[partition] = endOffset
  return ends
}

async function* follow(directory: string, from: readonly number[], signal: AbortSignal): AsyncGenerator<SourceRecord> {
  const readers: TopicReader[] = []
  try {
    for (const partition of endsOf(directory).keys())
      readers.push(openTopicReader({ directory, topic, partition, fromOffset: from[partition] ?? 0 }))
    while (!signal.aborted) {
      let isQuiet = true
      for (const reader of readers) {
        const record = reader.next()
        if (record === null) continue
        isQuiet = false
        yield record
      }
      if (isQuiet) await pause(lookEveryMs, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    for (const reader of readers) reader.close()
  }
}
