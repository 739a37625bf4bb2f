import type { LoadedModel, Scorer } from '@millwright/core'
import type { StepModel } from './steps.ts'

/** Returns a model that answers every row with one probability. Its contributions are all 0, so `why` lists features in order. */
export function constantModel(
  { version, probability, threshold }: StepModel,
  featureNames: readonly string[],
): LoadedModel {
  return formulaModel({ version, threshold, featureNames, probability: () => probability })
}

/** Returns a model that calculates probability and contributions by given functions of one row (NaN = missing). */
export function formulaModel(options: {
  readonly version: string
  readonly threshold: number
  readonly featureNames: readonly string[]
  readonly probability: (row: Float32Array) => number
  /** One per feature, then the bias. */
  readonly contributions?: (row: Float32Array) => readonly number[]
}): LoadedModel {
  const { version, threshold, featureNames, probability } = options
  const featureCount = featureNames.length
  const scorer: Scorer = {
    featureCount,
    score: (rows, rowCount, out) => {
      for (let row = 0; row < rowCount; row++)
        out[row] = probability(rows.subarray(row * featureCount, (row + 1) * featureCount))
    },
    contributions: (row) =>
      Float32Array.from(options.contributions?.(row) ?? new Array<number>(featureCount + 1).fill(0)),
  }
  return { name: 'risk', version, sha256: `sha256-of-${version}`, threshold, featureNames, scorer }
}
