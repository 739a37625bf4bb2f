import type { PackagedFeature } from '@millwright/scoring'
import { compileScorer, makeBaseline, makeGoldenRows, packModel, readXgboostModel } from '@millwright/scoring'
import { nodeCrypto } from './node-crypto.ts'
import { stumpModelFile } from './stump-model-testing.ts'

/** A model for tests: one tree of one split, so that its answer can be told by looking at a row. */
export interface SplitModel {
  readonly name: string
  readonly version: string
  readonly features: readonly PackagedFeature[]
  /** Index of the feature at which the tree parts, and where. */
  readonly splitFeature: number
  readonly splitAt: number
  /** Margins (log-odds) below, and at or above, the split. A missing value goes below. */
  readonly below: number
  readonly atOrAbove: number
  /** Rows of training, one value per feature each: for the baseline and the golden rows. */
  readonly rows: readonly (readonly number[])[]
  /** Trees that answer 0 to every row: half a kilobyte each, for packages that are too large for one message. */
  readonly idleTreeCount?: number
}

/** Makes the bytes of a sound package of a {@link SplitModel}. */
export function splitModelPackage(split: SplitModel): Uint8Array {
  const model = splitModelFile(split, split.features.length)
  const scorer = compileScorer(readXgboostModel(model))
  const rows = Float32Array.from(split.rows.flat())
  const probabilities = new Float32Array(split.rows.length)
  scorer.score(rows, probabilities.length, probabilities)
  return packModel(
    {
      name: split.name,
      version: split.version,
      createdBy: 'a test',
      objective: 'binary:logistic',
      features: split.features,
      threshold: 0.8,
      baseline: makeBaseline(
        rows,
        split.features.map(({ name }) => name),
        4,
        probabilities,
      ),
      goldenRows: makeGoldenRows(scorer, rows),
      metrics: {},
      sourceDataSha256: null,
      model,
    },
    nodeCrypto,
  )
}

/** Makes the model of a {@link SplitModel} in XGBoost's JSON. */
export function splitModelFile(
  {
    splitFeature: feature,
    splitAt: at,
    below,
    atOrAbove,
    idleTreeCount = 0,
  }: Pick<SplitModel, 'splitFeature' | 'splitAt' | 'below' | 'atOrAbove' | 'idleTreeCount'>,
  featureCount: number,
): Uint8Array {
  const idle = Array.from({ length: idleTreeCount }, () => ({ feature, at, below: 0, atOrAbove: 0 }))
  return stumpModelFile([{ feature, at, below, atOrAbove }, ...idle], featureCount)
}
