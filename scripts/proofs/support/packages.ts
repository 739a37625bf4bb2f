import { compileScorer, makeBaseline, makeGoldenRows, packModel, readXgboostModel } from '@millwright/scoring'
import { nodeCrypto } from '../../../packages/cli/src/models/node-crypto.ts'

/** Where the proofs' models part: mean vibration below, or not. */
export const vibrationSplit = 1

export const proofFeatures = [
  { name: 'tempStd', unit: '°C' },
  { name: 'vibration', unit: 'mm/s' },
  { name: 'pressure', unit: 'bar' },
] as const

const rows = Float32Array.of(0.1, 0.4, 4, 0.3, 1.4, 4.2, 0.2, 0.9, 4.1, 0.5, 1.1, 4.3)

/** The bytes of a sound package for the proofs' plant. @param highWhenCalm Which side of the split it finds risky. */
export function proofPackage(version: string, highWhenCalm: boolean): Uint8Array {
  const model = modelFile(highWhenCalm ? 4 : -4, highWhenCalm ? -4 : 4)
  const scorer = compileScorer(readXgboostModel(model))
  const probabilities = new Float32Array(rows.length / proofFeatures.length)
  scorer.score(rows, probabilities.length, probabilities)
  return packModel(
    {
      name: 'proof',
      version,
      createdBy: 'scripts/proofs',
      objective: 'binary:logistic',
      features: [...proofFeatures],
      threshold: 0.8,
      baseline: makeBaseline(
        rows,
        proofFeatures.map(({ name }) => name),
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

/** One tree of one split, in XGBoost's JSON: margins of the leaf below and of the leaf at or above the split. */
export function modelFile(below: number, atOrAbove: number, featureCount: number = proofFeatures.length): Uint8Array {
  const three = <T>(a: T, b: T, c: T): T[] => [a, b, c]
  const tree = {
    base_weights: three(0, below, atOrAbove),
    categories: [],
    categories_nodes: [],
    categories_segments: [],
    categories_sizes: [],
    default_left: three(1, 0, 0),
    id: 0,
    left_children: three(1, -1, -1),
    loss_changes: three(1, 0, 0),
    parents: three(2147483647, 0, 0),
    right_children: three(2, -1, -1),
    split_conditions: three(vibrationSplit, below, atOrAbove),
    split_indices: three(1, 0, 0),
    split_type: three(0, 0, 0),
    sum_hessian: three(2, 1, 1),
    tree_param: { num_deleted: '0', num_feature: String(featureCount), num_nodes: '3', size_leaf_vector: '1' },
  }
  const file = {
    learner: {
      attributes: {},
      feature_names: [],
      feature_types: [],
      gradient_booster: {
        model: {
          gbtree_model_param: { num_parallel_tree: '1', num_trees: '1' },
          iteration_indptr: [0, 1],
          tree_info: [0],
          trees: [tree],
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
