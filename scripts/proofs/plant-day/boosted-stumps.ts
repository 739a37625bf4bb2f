/**
 * Gradient boosting of trees with one split each, for the log loss, with exact splits on quantiles of the training rows: small,
 * the same on every machine, and enough for a model whose honest quality can be told. What is trained in earnest is trained by
 * XGBoost; its file format is what this writes.
 *
 * Source of gain and leaf weight: T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", 2016, equations 5 to 7.
 */
export interface Stump {
  /** Index of a feature; values below `at` go to the left leaf, and so do missing ones. */
  readonly feature: number
  readonly at: number
  /** Margins, log-odds. */
  readonly below: number
  readonly atOrAbove: number
}

const learningRate = 0.3
const regularisation = 1
const candidatesPerFeature = 48

/**
 * Learns stumps one after the other.
 *
 * @param rows One float32 per feature, row after row.
 * @param labels 1 where the row is positive, else 0; as many as there are rows.
 */
export function boostStumps(rows: Float32Array, labels: Uint8Array, featureCount: number, count: number): Stump[] {
  const candidates = Array.from({ length: featureCount }, (_, feature) => splitsOf(rows, feature, featureCount))
  const margins = new Float64Array(labels.length)
  const stumps: Stump[] = []
  while (stumps.length < count) {
    const gradients = Float64Array.from(margins, (margin, row) => sigmoid(margin) - (labels[row] as number))
    const hessians = Float64Array.from(margins, (margin) => sigmoid(margin) * (1 - sigmoid(margin)))
    const best = candidates
      .flatMap((splits, feature) => [bestSplit({ rows, featureCount, feature, splits, gradients, hessians })])
      .reduce((a, b) => (b.gain > a.gain ? b : a))
    stumps.push(best.stump)
    for (let row = 0; row < margins.length; row++)
      margins[row] = (margins[row] as number) + leafOf(best.stump, rows[row * featureCount + best.stump.feature])
  }
  return stumps
}

interface SplitSearch {
  readonly rows: Float32Array
  readonly featureCount: number
  readonly feature: number
  readonly splits: Float32Array
  readonly gradients: Float64Array
  readonly hessians: Float64Array
}

function bestSplit({ rows, featureCount, feature, splits, gradients, hessians }: SplitSearch) {
  // Sums of the rows between one candidate and the next.
  const gradientOf = new Float64Array(splits.length + 1)
  const hessianOf = new Float64Array(splits.length + 1)
  for (let row = 0; row < gradients.length; row++) {
    const bin = binOf(splits, rows[row * featureCount + feature] as number)
    gradientOf[bin] = (gradientOf[bin] as number) + (gradients[row] as number)
    hessianOf[bin] = (hessianOf[bin] as number) + (hessians[row] as number)
  }
  const all = { gradient: sum(gradientOf), hessian: sum(hessianOf) }
  let best = { gain: Number.NEGATIVE_INFINITY, stump: { feature, at: 0, below: 0, atOrAbove: 0 } }
  let [gradient, hessian] = [0, 0]
  for (const [i, at] of splits.entries()) {
    gradient += gradientOf[i] as number
    hessian += hessianOf[i] as number
    const [left, right] = [
      { gradient, hessian },
      { gradient: all.gradient - gradient, hessian: all.hessian - hessian },
    ]
    const gain = scoreOf(left) + scoreOf(right) - scoreOf(all)
    if (gain > best.gain)
      best = {
        gain,
        stump: { feature, at, below: Math.fround(weightOf(left)), atOrAbove: Math.fround(weightOf(right)) },
      }
  }
  return best
}

interface Sums {
  readonly gradient: number
  readonly hessian: number
}

function scoreOf({ gradient, hessian }: Sums): number {
  return gradient ** 2 / (hessian + regularisation)
}

function weightOf({ gradient, hessian }: Sums): number {
  return (-learningRate * gradient) / (hessian + regularisation)
}

/** How many candidates are at or below the value: rows of bins 0 to i are below candidate i. */
function binOf(splits: Float32Array, value: number): number {
  let [low, high] = [0, splits.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (value < (splits[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}

function splitsOf(rows: Float32Array, feature: number, featureCount: number): Float32Array {
  const column = Float32Array.from({ length: rows.length / featureCount }, (_, row) => {
    return rows[row * featureCount + feature] as number
  }).sort()
  const quantiles = Array.from({ length: candidatesPerFeature }, (_, i) => {
    return column[Math.floor(((i + 1) / (candidatesPerFeature + 1)) * column.length)] as number
  })
  return Float32Array.from(new Set(quantiles))
}

function leafOf({ at, below, atOrAbove }: Stump, value: number | undefined): number {
  return value !== undefined && value >= at ? atOrAbove : below
}

function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin))
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
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
