import { type AggregateStatistic, assert, type FeatureNode, type Plan } from '@millwright/core'
import {
  partCount,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
} from '@millwright/kernels'

/**
 * Which running values a window keeps of each channel: only those its features need, side by side in the window's slot.
 *
 * L1. A channel's fields stand in the order of `partFields`; a part that is not kept takes no room.
 * L2. `moment3` implies `moment2`, `moment4` implies `moment3`, `slope` implies `moment2`.
 */

export {
  partCount,
  partExtremes,
  partFirst,
  partLast,
  partMoment2,
  partMoment3,
  partMoment4,
  partSlope,
  partSum,
} from '@millwright/kernels'

/** The parts with the fields that each takes, in the order in which they stand. */
export const partFields: readonly (readonly [part: number, fields: number])[] = [
  [partCount, 1],
  [partSum, 2],
  [partMoment2, 3],
  [partMoment3, 1],
  [partMoment4, 1],
  [partSlope, 4],
  [partExtremes, 2],
  [partFirst, 2],
  [partLast, 2],
]

/** Bit set of the parts that a statistic is calculated from. */
export const partsOfStatistic: Readonly<Record<AggregateStatistic, number>> = {
  count: partCount,
  mean: partCount | partSum,
  std: partCount | partMoment2,
  min: partCount | partExtremes,
  max: partCount | partExtremes,
  range: partCount | partExtremes,
  first: partCount | partFirst,
  last: partCount | partLast,
  slope: partCount | partMoment2 | partSlope,
  rms: partCount | partMoment2,
  skewness: partCount | partMoment2 | partMoment3,
  kurtosis: partCount | partMoment2 | partMoment3 | partMoment4,
  crestFactor: partCount | partMoment2 | partExtremes,
}

/** Fields of one channel in every window. */
export interface ChannelAccumulator {
  /** Index of the channel in the plan. */
  readonly channel: number
  /** Bit set of the parts that are kept. */
  readonly parts: number
  /** First field, counted from the start of the accumulators. */
  readonly offset: number
}

export interface AccumulatorLayout {
  readonly channels: readonly ChannelAccumulator[]
  /** Float64 fields in all. */
  readonly fieldCount: number
}

/** Returns the fields that the plan's features need. */
export function accumulatorLayout(plan: Plan): AccumulatorLayout {
  const partsByChannel = new Map<number, number>()
  const need = (node: FeatureNode): void => {
    if (node.kind !== 'aggregate' || node.channel === null) return
    const channel = channelIndex(plan, node.channel)
    partsByChannel.set(channel, (partsByChannel.get(channel) ?? 0) | partsOfStatistic[node.statistic])
  }
  for (const { node } of plan.features) visitFeature(node, need)
  const ascending = [...partsByChannel].sort(([a], [b]) => a - b)
  return accumulatorsWith(ascending.map(([channel, parts]) => ({ channel, parts })))
}

/** Returns the layout of these channels' parts, side by side in their order. */
export function accumulatorsWith(kept: readonly Pick<ChannelAccumulator, 'channel' | 'parts'>[]): AccumulatorLayout {
  let fieldCount = 0
  const channels = kept.map(({ channel, parts }) => {
    const offset = fieldCount
    fieldCount += fieldsOf(parts)
    return { channel, parts, offset }
  })
  return { channels, fieldCount }
}

/** Returns where a part's first field stands within a channel's fields. */
export function partOffset(parts: number, part: number): number {
  assert((parts & part) !== 0, 'a feature reads only parts that the layout keeps')
  // Every part before it is a lower bit.
  return fieldsOf(parts & (part - 1))
}

/** Returns how many fields a bit set of parts takes. */
export function fieldsOf(parts: number): number {
  let fields = 0
  for (const [part, count] of partFields) if ((parts & part) !== 0) fields += count
  return fields
}

/** Calls `visit` with a feature and every feature inside it, outer ones first. */
export function visitFeature(node: FeatureNode, visit: (node: FeatureNode) => void): void {
  visit(node)
  for (const inner of innerFeatures(node)) visitFeature(inner, visit)
}

/** Returns the features that a feature is directly made of. */
export function innerFeatures(node: FeatureNode): readonly FeatureNode[] {
  switch (node.kind) {
    case 'lag':
    case 'difference':
    case 'rolling':
    case 'exponential-mean':
      return [node.of]
    case 'derived':
      return node.of
    case 'aggregate':
    case 'quantile':
    case 'hours-since':
    case 'count-of':
    case 'custom':
      return []
  }
}

/** Returns the index of a declared channel. */
export function channelIndex(plan: Plan, name: string): number {
  const index = plan.channels.findIndex((channel) => channel.name === name)
  assert(index >= 0, `a plan's features and rules name declared channels: "${name}" is none`)
  return index
}
