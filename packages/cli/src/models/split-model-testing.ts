import type { PackagedFeature } from '@millwright/scoring'
import { compileScorer, makeBaseline, makeGoldenRows, packModel, readXgboostModel } from '@millwright/scoring'
import { nodeCrypto } from './node-crypto.ts'

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
    splitFeature,
    splitAt,
    below,
    atOrAbove,
    idleTreeCount = 0,
  }: Pick<SplitModel, 'splitFeature' | 'splitAt' | 'below' | 'atOrAbove' | 'idleTreeCount'>,
  featureCount: number,
): Uint8Array {
  const three = <T>(a: T, b: T, c: T): T[] => [a, b, c]
  const treeOf = (id: number, below: number, atOrAbove: number) => ({
    base_weights: three(0, below, atOrAbove),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: three(1, 0, 0),
    id,
    left_children: three(1, -1, -1),
    loss_changes: three(1, 0, 0),
    parents: three(2147483647, 0, 0),
    right_children: three(2, -1, -1),
    split_conditions: three(splitAt, below, atOrAbove),
    split_indices: three(splitFeature, 0, 0),
    split_type: three(0, 0, 0),
    sum_hessian: three(2, 1, 1),
    tree_param: { num_deleted: '0', num_feature: String(featureCount), num_nodes: '3', size_leaf_vector: '1' },
  })
  const trees = [treeOf(0, below, atOrAbove), ...Array.from({ length: idleTreeCount }, (_, i) => treeOf(i + 1, 0, 0))]
  const file = {
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: String(trees.length) },
          iteration_indptr: [...trees.keys(), trees.length],
          tree_info: trees.map(() => 0),
          trees,
        },
        name: 'gbtree',
      },
      learner_model_param: {
        base_score: '5E-1',
        boost_from_average: '1',
        num_class: '0',
        num_feature: String(featureCount),
        num_target: '1',
      },
      objective: { name: 'binary:logistic', reg_loss_param: { scale_pos_weight: '1' } },
    },
    version: [2, 1, 0],
  }
  return Buffer.from(JSON.stringify(file))
}
