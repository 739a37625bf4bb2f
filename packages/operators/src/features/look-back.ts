import type { FeatureNode, NamedFeature } from '@millwright/core'
import { innerFeatures, visitFeature } from '../accumulators/layout.ts'

/**
 * Returns the features whose values each window leaves in the history, a column each, in the order of the columns: what `lag`,
 * `difference` and `rolling` look back on, and each `exponential-mean` itself. Inner features come before outer ones.
 */
export function historyColumns(features: readonly NamedFeature[]): FeatureNode[] {
  const columns: FeatureNode[] = []
  const collect = (node: FeatureNode): void => {
    for (const inner of innerFeatures(node)) collect(inner)
    if (node.kind === 'lag' || node.kind === 'difference' || node.kind === 'rolling') columns.push(node.of)
    if (node.kind === 'exponential-mean') columns.push(node)
  }
  for (const { node } of features) collect(node)
  return columns
}

/** Farthest that one of the features looks back, in windows. */
export function windowsLookedBack(features: readonly NamedFeature[]): number {
  let farthest = 0
  for (const { node } of features)
    visitFeature(node, (inner) => {
      farthest = Math.max(farthest, ownLookBack(inner))
    })
  return farthest
}

/** How many windows a feature itself looks back, without what is inside it. */
export function ownLookBack(node: FeatureNode): number {
  switch (node.kind) {
    case 'lag':
    case 'difference':
      return node.windows
    case 'rolling':
      return node.windows - 1
    case 'exponential-mean':
      return 1
    case 'aggregate':
    case 'quantile':
    case 'hours-since':
    case 'count-of':
    case 'derived':
    case 'custom':
      return 0
  }
}
