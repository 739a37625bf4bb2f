/**
 * Decision trees as columns of numbers, in the order in which their leaves are summed.
 *
 * A row walks from a tree's root: at a split it goes left when its value is strictly less than the threshold, else
 * right; a missing value (NaN) goes where `defaultLeft` says. At a categorical split it goes right when its category is
 * in the node's set; a negative category, one of 2^24 or more, and one that the set does not know go left.
 * Source: dmlc/xgboost `src/predictor/predict_fn.h` (GetDecision, GetNextNode), `src/common/categorical.h` (Decision).
 *
 * What is required, and not checked here: children are indices of nodes, each node is reached from one root by one path,
 * features are below `featureCount`, groups below `groupCount`, thresholds are not NaN.
 */
export interface Forest {
  /** Values of a row, 1 or more. */
  readonly featureCount: number
  /** Margins of a row, 1 or more. */
  readonly groupCount: number
  /** Node at which each tree begins. */
  readonly roots: Int32Array
  /** Group to whose margin each tree's leaf is added; not read where leaves are vectors. */
  readonly groups: Int32Array
  /** Left child of each node; -1 at a leaf. */
  readonly left: Int32Array
  /** Right child of each node; at a leaf, the number of its vector where leaves are vectors. */
  readonly right: Int32Array
  readonly feature: Int32Array
  /** 1: a missing value goes left; 0: right. */
  readonly defaultLeft: Uint8Array
  /** Threshold of a split, value of a leaf. */
  readonly value: Float32Array
  /** `null`: no split of any tree is categorical. */
  readonly categories: CategorySets | null
  /** Leaf vector k is `leafVectors[k * groupCount ...]`; `null`: each leaf has one value. */
  readonly leafVectors: Float32Array | null
}

/** Sets of categories as bits: category c of set k is bit `c & 31` of `words[start[k] + (c >> 5)]`. */
export interface CategorySets {
  /** Set of each node; -1: the split is numeric. */
  readonly setOfNode: Int32Array
  /** First word of each set, and one entry more: the number of all words. */
  readonly start: Int32Array
  readonly words: Uint32Array
}

/** Gives the margins of rows: base margin first, then each tree's leaf, in float32, in order. */
export interface TreeEvaluator {
  /**
   * Reads `rowCount` rows of `featureCount` values from `rows` (NaN: missing) and writes `groupCount` margins a row
   * to `out`. Equal rows give equal bits, however many are given at once.
   */
  margins(rows: Float32Array, rowCount: number, out: Float32Array): void
}

/** Levels below the root of each tree: 0 for a lone leaf. */
export function treeDepths(forest: Forest): Int32Array {
  const depths = new Int32Array(forest.roots.length)
  const nodes: number[] = []
  const levels: number[] = []
  for (let tree = 0; tree < depths.length; tree++) {
    nodes.push(forest.roots[tree] as number)
    levels.push(0)
    while (nodes.length > 0) {
      const node = nodes.pop() as number
      const level = levels.pop() as number
      if (level > (depths[tree] as number)) depths[tree] = level
      const left = forest.left[node] as number
      if (left === -1) continue
      nodes.push(left, forest.right[node] as number)
      levels.push(level + 1, level + 1)
    }
  }
  return depths
}
