import { limits, type Plan, type ReadingBatch } from '@millwright/core'
import { channelIndex } from './accumulators/layout.ts'
import { type Counters, ruleCounter } from './counters.ts'

interface CompiledRule {
  readonly channel: number
  readonly min: number
  readonly max: number
  readonly drops: boolean
  readonly counter: string
}

/** The plan's cleaning rules, in the plan's order. A missing value matches none; limits themselves are good values. */
export class Cleaning {
  readonly #rules: readonly CompiledRule[]
  readonly #counters: Counters
  /** Per row of the batch last looked at: 1 where some rule matches. */
  readonly suspect = new Uint8Array(limits.batchRowsMax)

  constructor(plan: Plan, counters: Counters) {
    this.#counters = counters
    this.#rules = plan.cleaning.map((rule) => ({
      channel: channelIndex(plan, rule.channel),
      min: rule.min ?? Number.NEGATIVE_INFINITY,
      max: rule.max ?? Number.POSITIVE_INFINITY,
      drops: rule.onBad === 'drop',
      counter: ruleCounter(rule),
    }))
  }

  /** Marks the rows of a batch that some rule matches. A column at a time is several times faster than a row at a time. */
  look(batch: ReadingBatch): void {
    this.suspect.fill(0, 0, batch.rowCount)
    for (const { channel, min, max } of this.#rules)
      markOutside(this.suspect, batch.channels[channel] as Float64Array, min, max, batch.rowCount)
  }

  /** Cleans one reading's values in place; returns false where a rule drops it. Counts what it did, once per rule. */
  clean(values: Float64Array): boolean {
    for (const { channel, min, max, drops, counter } of this.#rules) {
      const value = values[channel] as number
      if (!(value < min || value > max)) continue
      this.#counters.add(counter)
      if (drops) return false
      values[channel] = Number.NaN
    }
    return true
  }
}

function markOutside(suspect: Uint8Array, column: Float64Array, min: number, max: number, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = column[row] as number
    if (value < min || value > max) suspect[row] = 1
  }
}
