import { assert, type FeatureNode, type Plan } from '@millwright/core'

/** How a feature tells of a channel: the level of its values, or how far they spread. */
export interface ChannelEvidence {
  readonly feature: string
  readonly of: 'level' | 'spread'
}

/** What is watched of one channel. */
export interface WatchedChannel {
  readonly name: string
  /** Physically possible, in the channel's unit; `null` for no limit. */
  readonly min: number | null
  readonly max: number | null
  /** A channel that counts or holds a code may stand still for days. */
  readonly mayStandStill: boolean
  /** Empty where no feature tells of the channel: then nothing is known of it here. */
  readonly evidence: readonly ChannelEvidence[]
}

const levels = ['mean', 'min', 'max', 'first', 'last']
const spreads = ['std', 'range']

/** Finds which features tell of which channels: the plain statistics of one channel, and quantiles. */
export function watchedChannels({ channels, features }: Pick<Plan, 'channels' | 'features'>): WatchedChannel[] {
  return channels.map(({ name, kind, min, max }) => ({
    name,
    min,
    max,
    mayStandStill: kind !== 'gauge',
    evidence: features.flatMap((feature) => {
      const of = evidenceOf(feature.node, name)
      return of === null ? [] : [{ feature: feature.name, of }]
    }),
  }))
}

function evidenceOf(node: FeatureNode, channel: string): 'level' | 'spread' | null {
  if (node.kind === 'quantile') return node.channel === channel ? 'level' : null
  if (node.kind !== 'aggregate' || node.channel !== channel) return null
  if (levels.includes(node.statistic)) return 'level'
  return spreads.includes(node.statistic) ? 'spread' : null
}

export interface QualityRules {
  /** Tumbling, epoch-aligned, by the machine's own clock. */
  readonly periodMs: number
  /** Windows in a row without any change, after which a channel is said to be flat. */
  readonly flatWindows: number
  /** A window with fewer readings than this share of the machine's usual number is short; more than its inverse, long. */
  readonly rateShare: number
  readonly devicesMax: number
}

export function checkQualityRules({ periodMs, flatWindows, rateShare, devicesMax }: QualityRules): void {
  assert(periodMs > 0 && flatWindows >= 2 && devicesMax > 0, 'periods and bounds are not empty')
  assert(rateShare > 0 && rateShare < 1, 'a share of the usual rate is between 0 and 1')
}
