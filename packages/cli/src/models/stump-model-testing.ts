/** A tree of one split. */
export interface Stump {
  /** Index of a feature; values below `at` go to the left leaf, and so do missing ones. */
  readonly feature: number
  readonly at: number
  /** Margins, log-odds. */
  readonly below: number
  readonly atOrAbove: number
}

/** Writes stumps as a model file in XGBoost's JSON. */
export function stumpModelFile(stumps: readonly Stump[], featureCount: number): Uint8Array {
  const three = <T>(a: T, b: T, c: T): T[] => [a, b, c]
  const trees = stumps.map(({ feature, at, below, atOrAbove }, id) => ({
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
    split_conditions: three(at, below, atOrAbove),
    split_indices: three(feature, 0, 0),
    split_type: three(0, 0, 0),
    sum_hessian: three(2, 1, 1),
    tree_param: { num_deleted: '0', num_feature: String(featureCount), num_nodes: '3', size_leaf_vector: '1' },
  }))
  const learner = {
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
  }
  return Buffer.from(JSON.stringify({ learner, version: [2, 1, 0] }))
}
