import { setImmediate as letOthersRun } from 'node:timers/promises'
import { type Engine, listTopics, openTopicReader } from '@millwright/engine'
import type { AlertEvent, AlertFeed } from '@millwright/gateways'

const topic = 'alert-signals'

/** Records read from disk before other work of the thread gets its turn. */
const recordsPerTurn = 500

/**
 * The alerts of a plant as the gateway streams them: what was, from the topic; what comes, from the engine.
 *
 * @param dataDirectory Of the engine.
 */
export function alertFeedOf(engine: Engine, dataDirectory: string): AlertFeed {
  const ends: number[] = []
  for (const { partition, endOffset } of listTopics(dataDirectory).filter((summary) => summary.topic === topic))
    ends[partition] = endOffset
  // Before whoever streams: the ends are then never behind what a stream was told.
  engine.subscribe(topic, ({ partition, offset }) => {
    ends[partition] = Math.max(ends[partition] ?? 0, offset + 1)
  })
  return {
    ends: () => [...ends],
    read: (from, signal) => read(dataDirectory, from, [...ends], signal),
    subscribe: (listener) =>
      engine.subscribe(topic, ({ partition, offset, value }) => listener([{ partition, offset, line: value }])),
  }
}

async function* read(
  directory: string,
  from: readonly number[],
  ends: readonly number[],
  signal: AbortSignal,
): AsyncGenerator<AlertEvent> {
  for (const [partition, fromOffset] of from.entries()) {
    const end = ends[partition] ?? 0
    const reader = openTopicReader({ directory, topic, partition, fromOffset })
    try {
      let readCount = 0
      for (const { offset, value } of reader) {
        // What is not on stable storage yet comes by subscription.
        if (signal.aborted || offset >= end) break
        yield { partition, offset, line: Buffer.from(value).toString() }
        readCount += 1
        if (readCount % recordsPerTurn === 0) await letOthersRun()
      }
    } finally {
      reader.close()
    }
  }
}
