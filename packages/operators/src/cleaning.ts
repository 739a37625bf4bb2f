import type { Plan } from '@millwright/core'
import { channelIndex } from './accumulators/layout.ts'
import { type Counters, ruleCounter } from './counters.ts'

/** Values of a channel below `min` or above `max` are bad. */
export interface ChannelRange {
  readonly channel: number
  readonly min: number
  readonly max: number
}

interface CompiledRule extends ChannelRange {
  readonly drops: boolean
  readonly counter: string
}

/** Returns what the plan's cleaning rules take for good values, in the plan's order. */
export function cleaningRanges(plan: Plan): ChannelRange[] {
  return plan.cleaning.map((rule) => ({
    channel: channelIndex(plan, rule.channel),
    min: rule.min ?? Number.NEGATIVE_INFINITY,
    max: rule.max ?? Number.POSITIVE_INFINITY,
  }))
}

/** The plan's cleaning rules, in the plan's order. A missing value matches none; limits themselves are good values. */
export class Cleaning {
  readonly #rules: readonly CompiledRule[]
  readonly #counters: Counters

  constructor(plan: Plan, counters: Counters) {
    this.#counters = counters
    const ranges = cleaningRanges(plan)
    this.#rules = plan.cleaning.map((rule, i) => ({
      ...(ranges[i] as ChannelRange),
      drops: rule.onBad === 'drop',
      counter: ruleCounter(rule),
    }))
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
