import { ConfigurationError, type Plan } from '@millwright/core'

/**
 * What the heartbeat device measures: of each channel a value that is possible and that no cleaning rule minds.
 *
 * @returns By channel; one that every value is wrong for is left out.
 * @throws {ConfigurationError} When that leaves none: a reading has one channel at least.
 */
export function heartbeatValues({ channels, cleaning }: Pick<Plan, 'channels' | 'cleaning'>): Record<string, number> {
  const values: Record<string, number> = {}
  for (const channel of channels) {
    const rules = [channel, ...cleaning.filter((rule) => rule.channel === channel.name)]
    const min = Math.max(...rules.map((rule) => rule.min ?? Number.NEGATIVE_INFINITY))
    const max = Math.min(...rules.map((rule) => rule.max ?? Number.POSITIVE_INFINITY))
    if (min <= max) values[channel.name] = within(min, max)
  }
  if (Object.keys(values).length > 0) return values
  throw new ConfigurationError('The heartbeat has nothing to send.', [
    {
      field: 'cleaning',
      found: 'rules that leave no value of any channel',
      wanted: 'a value that one channel may have',
    },
  ])
}

/** Half way between two bounds, at the only one, or 0. */
function within(min: number, max: number): number {
  if (Number.isFinite(min)) return Number.isFinite(max) ? min + (max - min) / 2 : min
  return Number.isFinite(max) ? max : 0
}
