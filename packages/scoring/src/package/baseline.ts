import { assert } from '@millwright/core'
import { type Histogram, makeHistogram } from './histogram.ts'

/** What the model saw in training and what it answered. */
export interface Baseline {
  /** One of each feature, in the model's order. */
  readonly features: readonly Histogram[]
  readonly probability: Histogram
}

/**
 * Makes the baseline of a training table.
 *
 * @param rows One float32 per feature, row after row; NaN is missing.
 * @param probabilities The model's answer to each row.
 * @param binCount Most bins of a histogram, 2 to `histogramBinsMax`; 10 to 20 are usual for drift.
 */
export function makeBaseline(
  rows: Float32Array,
  featureNames: readonly string[],
  binCount: number,
  probabilities: Float32Array,
): Baseline {
  const featureCount = featureNames.length
  assert(rows.length === probabilities.length * featureCount, 'each row has a value of each feature and a probability')
  return {
    features: featureNames.map((_, feature) => {
      const column = Float32Array.from(probabilities, (_, row) => rows[row * featureCount + feature] as number)
      return makeHistogram(column, binCount)
    }),
    probability: makeHistogram(probabilities, binCount),
  }
}
