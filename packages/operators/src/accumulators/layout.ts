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

const partFields: readonly (readonly [part: number, fields: number])[] = [
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

const partsOfStatistic: Readonly<Record<AggregateStatistic, number>> = {
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
  let fieldCount = 0
  const channels: ChannelAccumulator[] = []
  for (const channel of [...partsByChannel.keys()].sort((a, b) => a - b)) {
    const parts = partsByChannel.get(channel) ?? 0
    channels.push({ channel, parts, offset: fieldCount })
    fieldCount += fieldsOf(parts)
  }
  return { channels, fieldCount }
}

/** Returns where a part's first field stands within a channel's fields. */
export function partOffset(parts: number, part: number): number {
  assert((parts & part) !== 0, 'a feature reads only parts that the layout keeps')
  // Every part before it is a lower bit.
  return fieldsOf(parts & (part - 1))
}

function fieldsOf(parts: number): number {
  let fields = 0
  for (const [part, count] of partFields) if ((parts & part) !== 0) fields += count
  return fields
}

/** Calls `visit` with a feature and every feature inside it. */
export function visitFeature(node: FeatureNode, visit: (node: FeatureNode) => void): void {
  visit(node)
  switch (node.kind) {
    case 'lag':
    case 'difference':
    case 'rolling':
    case 'exponential-mean':
      visitFeature(node.of, visit)
      break
    case 'derived':
      for (const inner of node.of) visitFeature(inner, visit)
      break
    case 'aggregate':
    case 'quantile':
    case 'hours-since':
    case 'count-of':
    case 'custom':
      break
  }
}

/** Returns the index of a declared channel. */
export function channelIndex(plan: Plan, name: string): number {
  const index = plan.channels.findIndex((channel) => channel.name === name)
  assert(index >= 0, `a plan's features and rules name declared channels: "${name}" is none`)
  return index
}
