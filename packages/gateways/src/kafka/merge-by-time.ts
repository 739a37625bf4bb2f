import type { KafkaRecord } from './record.ts'

/**
 * Merges partitions into one sequence by append time; of equal times the lower partition first. Each partition keeps its order, also
 * where its times go back. One record of each is held.
 */
export async function* mergeByTime(
  partitions: readonly AsyncIterable<KafkaRecord>[],
): AsyncGenerator<KafkaRecord, void> {
  const iterators = partitions.map((partition) => partition[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()))
    for (;;) {
      let earliest: KafkaRecord | null = null
      let at = -1
      for (const [index, head] of heads.entries())
        if (!head.done && (earliest === null || head.value.appendTimeMs < earliest.appendTimeMs)) {
          earliest = head.value
          at = index
        }
      const iterator = iterators[at]
      if (earliest === null || iterator === undefined) return
      yield earliest
      heads[at] = await iterator.next()
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.()
  }
}
