import { aggregateStatistics, type ConfigurationProblem, type FeatureNode, limits } from '@millwright/core'
import { impurities } from './pure-function.ts'

const aggregates: ReadonlySet<string> = new Set(aggregateStatistics)

/** Deepest nesting of one feature in another, such as a lag of a rolling mean. */
const featureDepthMax = 8

/** Returns everything that is wrong with one feature, its inner ones included. */
export function checkFeature(
  field: string,
  node: FeatureNode,
  channelNames: readonly string[],
  depth = 0,
): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = []
  const report = (suffix: string, found: unknown, wanted: string): void => {
    problems.push({ field: `${field}${suffix}`, found: printValue(found), wanted })
  }
  const checkChannel = (channel: string): void => {
    if (!channelNames.includes(channel)) report('', channel, `a declared channel: ${channelNames.join(', ')}`)
  }
  const checkWindows = (windows: number, min: number): void => {
    if (!Number.isInteger(windows) || windows < min || windows > limits.historyWindowsMax)
      report('.windows', windows, `a whole number of windows from ${min} to ${limits.historyWindowsMax}`)
  }
  const checkCompute = (compute: unknown): void => {
    if (typeof compute !== 'function') {
      report('.compute', compute, 'a function')
      return
    }
    for (const { found, wanted } of impurities(String(compute)))
      problems.push({ field: `${field}.compute`, found, wanted })
  }
  const checkEventType = (eventType: unknown): void => {
    if (typeof eventType !== 'string' || !/^[\w.-]{1,64}$/.test(eventType))
      report('.eventType', eventType, "an event type such as 'maintenance'")
  }
  const checkInner = (inner: FeatureNode, suffix: string): void => {
    problems.push(...checkFeature(`${field}${suffix}`, inner, channelNames, depth + 1))
  }

  if (depth > featureDepthMax) {
    report('', node.kind, `features nested at most ${featureDepthMax} deep`)
    return problems
  }
  switch (node.kind) {
    case 'aggregate':
      if (!aggregates.has(node.statistic)) report('', node.statistic, `one of ${[...aggregates].join(', ')}`)
      if (node.channel !== null) checkChannel(node.channel)
      else if (node.statistic !== 'count') report('', 'no channel', 'the name of a channel')
      break
    case 'quantile':
      checkChannel(node.channel)
      if (!(node.q >= 0 && node.q <= 1)) report('.q', node.q, 'a number from 0 to 1')
      break
    case 'lag':
    case 'difference':
      checkWindows(node.windows, 1)
      checkInner(node.of, '.of')
      break
    case 'rolling':
      if (!['mean', 'std', 'min', 'max'].includes(node.statistic))
        report('.statistic', node.statistic, 'mean, std, min or max')
      checkWindows(node.windows, 2)
      checkInner(node.of, '.of')
      break
    case 'exponential-mean':
      if (!(node.alpha > 0 && node.alpha <= 1)) report('.alpha', node.alpha, 'a number with 0 < alpha <= 1')
      checkInner(node.of, '.of')
      break
    case 'hours-since':
      checkEventType(node.eventType)
      break
    case 'count-of':
      checkEventType(node.eventType)
      if (!(node.hours > 0 && node.hours <= 24 * 366))
        report('.hours', node.hours, 'hours, more than 0 and at most 8784')
      break
    case 'derived':
      checkCompute(node.compute)
      if (node.of.length === 0) report('.of', '[]', 'at least one feature')
      for (const [index, inner] of node.of.entries()) checkInner(inner, `.of[${index}]`)
      break
    case 'custom':
      checkCompute(node.compute)
      if (node.channels.length === 0) report('.channels', '[]', 'at least one channel')
      for (const channel of node.channels) checkChannel(channel)
      break
    default: {
      const unknown: { kind?: unknown } = node
      report('', unknown.kind, "a feature made by a builder such as mean('temperature')")
    }
  }
  return problems
}

/** Prints a value that a user wrote, short enough for one line of an error. */
export function printValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return 'a function'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}
