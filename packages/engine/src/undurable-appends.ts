import { assert, type DurationHistogram } from '@millwright/core'

interface Batch {
  readonly appendTimeMs: number
  count: number
  endOffset: number
}

/**
 * Measures how long outputs take from the append of the record that made them until they are durable.
 *
 * Holds one entry for each append time whose outputs are not durable yet; syncs bound their number, as they bound what waits for them.
 */
export class UndurableAppends {
  #batches: Batch[] = []

  /** Output at `offset`, the next one of its log, made by input of that append time, epoch milliseconds. */
  added(offset: number, appendTimeMs: number): void {
    const last = this.#batches.at(-1)
    assert(last === undefined || last.endOffset === offset, 'outputs of a log are added one after the other')
    if (last?.appendTimeMs === appendTimeMs) {
      last.count += 1
      last.endOffset = offset + 1
    } else this.#batches.push({ appendTimeMs, count: 1, endOffset: offset + 1 })
  }

  /** Everything before `endOffset` is durable since `nowMs`: adds its delays; 0 where the clock was set back meanwhile. */
  durable(endOffset: number, nowMs: number, into: DurationHistogram): void {
    let done = 0
    for (const { appendTimeMs, count, endOffset: end } of this.#batches) {
      if (end > endOffset) break
      into.add(Math.max(0, nowMs - appendTimeMs), count)
      done += 1
    }
    this.#batches.splice(0, done)
  }
}
