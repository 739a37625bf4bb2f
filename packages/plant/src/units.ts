import type { Channel, FeatureNode } from '@millwright/core'

/** Returns the unit of a feature: its channel's where the statistic keeps it, `1` where there is none. */
export function unitOf(node: FeatureNode, channels: readonly Channel[]): string {
  const unitOfChannel = (name: string | null): string => channels.find((channel) => channel.name === name)?.unit ?? '1'
  switch (node.kind) {
    case 'aggregate':
      switch (node.statistic) {
        case 'count':
        case 'skewness':
        case 'kurtosis':
        case 'crestFactor':
          return '1'
        case 'slope':
          return `${unitOfChannel(node.channel)}/s`
        case 'mean':
        case 'std':
        case 'min':
        case 'max':
        case 'range':
        case 'first':
        case 'last':
        case 'rms':
          return unitOfChannel(node.channel)
      }
      break
    case 'quantile':
      return unitOfChannel(node.channel)
    case 'lag':
    case 'difference':
    case 'rolling':
    case 'exponential-mean':
      return unitOf(node.of, channels)
    case 'hours-since':
      return 'h'
    case 'count-of':
    case 'derived':
    case 'custom':
      return '1'
  }
  return '1'
}
