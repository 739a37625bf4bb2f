import { limits } from '@millwright/core'
import { ModelFileError, type ModelFileReason } from '../model-file/model-file-error.ts'
import type { ValueReader } from '../model-file/value-reader.ts'
import { readCount, readFields } from './fields.ts'

/**
 * One tree with only the nodes that its root reaches, the root first, children by their number in these arrays. Nothing in it
 * can lead astray: each node is reached once, and every split has two children.
 */
export interface CheckedTree {
  readonly left: Int32Array
  /** At a leaf of a tree whose leaves are vectors, the number of the vector. */
  readonly right: Int32Array
  readonly feature: Int32Array
  readonly defaultLeft: Uint8Array
  readonly value: Float32Array
  readonly cover: Float32Array | null
  /** Category set of each node, -1 for none; `null` where the tree has no categorical split. */
  readonly setOfNode: Int32Array | null
  /** Words of each category set. */
  readonly sets: readonly Uint32Array[]
  /** Values a leaf; 1 where a leaf is one number. */
  readonly leafSize: number
  /** The vectors of all leaves; `null` where a leaf is one number. */
  readonly leafVectors: Float32Array | null
}

/** What may still be taken by the trees to come. */
export interface TreeBudget {
  nodes: number
  categoryWords: number
}

/** The tree as the file has it. */
interface RawTree {
  left: Int32Array
  right: Int32Array
  feature: Int32Array
  defaultLeft: Uint8Array
  value: Float32Array
  cover: Float32Array | null
  baseWeights: Float32Array
  leafWeights: Float32Array | null
  splitType: Uint8Array | null
  categories: Int32Array
  categoryNodes: Int32Array
  categoryStarts: Int32Array
  categoryCounts: Int32Array
  nodeCount: number
  leafSize: number
  /** For messages. */
  where: string
}

/**
 * Reads and checks one element of `trees`. Source: dmlc/xgboost `src/tree/tree_model.cc`, RegTree::LoadModel, and
 * `src/tree/multi_target_tree_model.cc`.
 *
 * @param index Place in the array, which the tree's own `id` must repeat: XGBoost puts a tree where its id says.
 * @param budget Is reduced by what this tree takes.
 * @throws {ModelFileError}
 */
export function readTree(reader: ValueReader, index: number, budget: TreeBudget): CheckedTree {
  const raw = readRawTree(reader, index, budget)
  const order = reachableNodes(raw)
  budget.nodes -= raw.nodeCount
  const nodeCount = order.length
  const numberOf = new Int32Array(raw.nodeCount)
  order.forEach((node, number) => {
    numberOf[node] = number
  })
  const vectors = raw.leafSize > 1
  const leafVectors = vectors ? leafVectorsOf(raw, order) : null
  const left = new Int32Array(nodeCount).fill(-1)
  const right = new Int32Array(nodeCount).fill(-1)
  const feature = new Int32Array(nodeCount)
  const value = new Float32Array(nodeCount)
  const { setOfNode, sets } = categorySetsOf(raw, order, numberOf, budget)
  let leafNumber = 0
  for (let number = 0; number < nodeCount; number++) {
    const node = order[number] as number
    if (raw.left[node] === -1) {
      if (vectors) right[number] = leafNumber++
      else value[number] = checkedLeaf(raw, node, raw.value[node] as number)
      continue
    }
    left[number] = numberOf[raw.left[node] as number] as number
    right[number] = numberOf[raw.right[node] as number] as number
    feature[number] = raw.feature[node] as number
    if (setOfNode !== null && (setOfNode[number] as number) >= 0) continue
    value[number] = raw.value[node] as number
    if (Number.isNaN(value[number]))
      throw refuse(raw, 'threshold-not-a-number', `node ${node} compares with NaN, so that it decides nothing`)
  }
  return {
    left,
    right,
    feature,
    defaultLeft: Uint8Array.from(order, (node) => raw.defaultLeft[node] as number),
    value,
    cover: raw.cover === null ? null : Float32Array.from(order, (node) => (raw.cover as Float32Array)[node] as number),
    setOfNode,
    sets,
    leafSize: raw.leafSize,
    leafVectors,
  }
}

function readRawTree(reader: ValueReader, index: number, budget: TreeBudget): RawTree {
  const where = reader.where
  const none = new Int32Array(0)
  const raw: RawTree = {
    left: none,
    right: none,
    feature: none,
    defaultLeft: new Uint8Array(0),
    value: new Float32Array(0),
    cover: null,
    baseWeights: new Float32Array(0),
    leafWeights: null,
    splitType: null,
    categories: none,
    categoryNodes: none,
    categoryStarts: none,
    categoryCounts: none,
    nodeCount: 0,
    leafSize: 1,
    where,
  }
  let readBaseWeights: ((read: () => void) => void) | null = null
  readFields(
    reader,
    {
      id: () => {
        const id = reader.number()
        if (id !== index) throw refuse(raw, 'count-differs', `the tree's id is ${id}, its place ${index}`)
      },
      left_children: () => {
        raw.left = reader.integers(budget.nodes)
      },
      right_children: () => {
        raw.right = reader.integers(budget.nodes)
      },
      split_indices: () => {
        raw.feature = reader.integers(budget.nodes)
      },
      split_conditions: () => {
        raw.value = reader.float32s(budget.nodes)
      },
      default_left: () => {
        raw.defaultLeft = reader.flags(budget.nodes)
      },
      sum_hessian: () => {
        raw.cover = reader.float32s(budget.nodes)
      },
      split_type: () => {
        raw.splitType = reader.flags(budget.nodes)
      },
      categories: () => {
        raw.categories = reader.integers(32 * limits.categoryWordsMax)
      },
      categories_nodes: () => {
        raw.categoryNodes = reader.integers(budget.nodes)
      },
      categories_segments: () => {
        raw.categoryStarts = reader.integers(budget.nodes)
      },
      categories_sizes: () => {
        raw.categoryCounts = reader.integers(budget.nodes)
      },
      // Comes before the size of leaves is known, and only vector leaves need it.
      base_weights: () => {
        readBaseWeights = reader.postpone()
      },
      leaf_weights: () => {
        raw.leafWeights = reader.float32s(limits.treeNodesMax)
      },
      tree_param: () => {
        readFields(
          reader,
          {
            num_nodes: () => {
              raw.nodeCount = readCount(reader, budget.nodes)
            },
            size_leaf_vector: () => {
              raw.leafSize = Math.max(1, readCount(reader, limits.outputGroupsMax))
            },
          },
          ['num_nodes'],
        )
      },
    },
    ['id', 'left_children', 'right_children', 'split_indices', 'split_conditions', 'default_left', 'tree_param'],
  )
  checkCounts(raw)
  if (raw.leafSize > 1 && raw.leafWeights === null) {
    const read = readBaseWeights as ((read: () => void) => void) | null
    if (read === null) throw refuse(raw, 'field-missing', 'no "base_weights" nor "leaf_weights"')
    read(() => {
      raw.baseWeights = reader.float32s(limits.treeNodesMax)
    })
    if (raw.baseWeights.length !== raw.nodeCount * raw.leafSize)
      throw refuse(
        raw,
        'count-differs',
        `${raw.baseWeights.length} base weights, wanted ${raw.nodeCount * raw.leafSize}`,
      )
  }
  return raw
}

function checkCounts(raw: RawTree): void {
  if (raw.nodeCount === 0) throw refuse(raw, 'count-differs', 'a tree of no node')
  if (raw.cover === null && raw.leafSize === 1) throw refuse(raw, 'field-missing', 'no "sum_hessian"')
  const columns: readonly (readonly [string, { readonly length: number } | null])[] = [
    ['left_children', raw.left],
    ['right_children', raw.right],
    ['split_indices', raw.feature],
    ['split_conditions', raw.value],
    ['default_left', raw.defaultLeft],
    ['sum_hessian', raw.cover],
    ['split_type', raw.splitType],
  ]
  for (const [name, column] of columns)
    if (column !== null && column.length !== raw.nodeCount)
      throw refuse(raw, 'count-differs', `"${name}" has ${column.length} entries, "num_nodes" says ${raw.nodeCount}`)
}

/** Nodes that the root reaches, level by level. Deleted nodes, which XGBoost's pruning leaves behind, are not among them. */
function reachableNodes(raw: RawTree): Int32Array {
  const { left, right, nodeCount } = raw
  const order = new Int32Array(nodeCount)
  const levels = new Int32Array(nodeCount)
  const seen = new Uint8Array(nodeCount)
  seen[0] = 1
  let count = 1
  for (let i = 0; i < count; i++) {
    const node = order[i] as number
    const children = [left[node] as number, right[node] as number] as const
    if (children[0] === -1) {
      if (raw.leafSize === 1 && children[1] !== -1) throw refuse(raw, 'child-missing', `node ${node} has no left child`)
      continue
    }
    if (children[1] === -1) throw refuse(raw, 'child-missing', `node ${node} has no right child`)
    const level = (levels[i] as number) + 1
    if (level > limits.treeDepthMax) throw refuse(raw, 'tree-too-deep', `more than ${limits.treeDepthMax} levels`)
    for (const child of children) {
      if (child < 0 || child >= nodeCount)
        throw refuse(raw, 'child-out-of-range', `node ${node} leads to ${child}; there are ${nodeCount} nodes`)
      if (seen[child] === 1)
        throw refuse(raw, 'child-shared', `node ${node} leads to ${child}, which is reached already`)
      seen[child] = 1
      levels[count] = level
      order[count++] = child
    }
    // XGBoost itself goes to the left child plus one and never looks: where these differ its answer is not the file's.
    if (children[1] !== children[0] + 1)
      throw refuse(raw, 'child-order', `the children of node ${node} are ${children.join(' and ')}, not side by side`)
  }
  return order.slice(0, count)
}

function checkedLeaf(raw: RawTree, node: number, value: number): number {
  if (!Number.isFinite(value)) throw refuse(raw, 'leaf-not-finite', `leaf ${node} is ${value}`)
  return value
}

/** The vectors of the leaves in their order. From 3.2 on, a leaf's right child is the row of `leaf_weights`. */
function leafVectorsOf(raw: RawTree, order: Int32Array): Float32Array {
  const { leafSize, leafWeights, baseWeights } = raw
  const leaves = order.filter((node) => raw.left[node] === -1)
  const vectors = new Float32Array(leaves.length * leafSize)
  leaves.forEach((node, number) => {
    const source = leafWeights ?? baseWeights
    const row = leafWeights === null ? node : (raw.right[node] as number)
    if (row < 0 || (row + 1) * leafSize > source.length)
      throw refuse(raw, 'child-out-of-range', `leaf ${node} has no vector ${row} of ${leafSize}`)
    for (let k = 0; k < leafSize; k++)
      vectors[number * leafSize + k] = checkedLeaf(raw, node, source[row * leafSize + k] as number)
  })
  return vectors
}

/** Source: dmlc/xgboost `src/tree/tree_model.cc`, LoadCategoricalSplit. A categorical node without categories has the empty set. */
function categorySetsOf(
  raw: RawTree,
  order: Int32Array,
  numberOf: Int32Array,
  budget: TreeBudget,
): Pick<CheckedTree, 'setOfNode' | 'sets'> {
  const { splitType, categoryNodes, categoryStarts, categoryCounts, categories, nodeCount } = raw
  if (splitType === null || !splitType.includes(1)) return { setOfNode: null, sets: [] }
  if (categoryStarts.length !== categoryNodes.length || categoryCounts.length !== categoryNodes.length)
    throw refuse(raw, 'count-differs', 'categories_nodes, categories_segments and categories_sizes differ in length')
  const setOfNode = new Int32Array(order.length).fill(-1)
  const sets: Uint32Array[] = []
  const reached = new Uint8Array(nodeCount)
  for (const node of order) {
    if (raw.left[node] === -1) continue
    reached[node] = 1
    if (splitType[node] === 1) setOfNode[numberOf[node] as number] = sets.push(new Uint32Array(0)) - 1
  }
  let previous = -1
  for (let i = 0; i < categoryNodes.length; i++) {
    const node = categoryNodes[i] as number
    // XGBoost takes them in one pass over the nodes: one out of order would be lost there.
    if (node <= previous || node >= nodeCount)
      throw refuse(raw, 'category-invalid', `categories_nodes must ascend below ${nodeCount}: found ${node}`)
    previous = node
    const start = categoryStarts[i] as number
    const end = start + (categoryCounts[i] as number)
    if (start < 0 || end <= start || end > categories.length)
      throw refuse(raw, 'category-invalid', `node ${node} names categories ${start} to ${end} of ${categories.length}`)
    if (reached[node] === 0 || splitType[node] !== 1) continue
    sets[setOfNode[numberOf[node] as number] as number] = categorySet(
      raw,
      node,
      categories.subarray(start, end),
      budget,
    )
  }
  return { setOfNode, sets }
}

/** Categories at or beyond 2^24 are one float32 with their neighbours, so that XGBoost knows none. */
const categoryEnd = 16_777_216

function categorySet(raw: RawTree, node: number, members: Int32Array, budget: TreeBudget): Uint32Array {
  let greatest = 0
  for (const category of members) {
    if (category < 0 || category >= categoryEnd)
      throw refuse(raw, 'category-invalid', `node ${node} has category ${category}; wanted 0 to ${categoryEnd - 1}`)
    greatest = Math.max(greatest, category)
  }
  const wordCount = (greatest >>> 5) + 1
  budget.categoryWords -= wordCount
  if (budget.categoryWords < 0)
    throw refuse(raw, 'too-many', `category sets of more than ${limits.categoryWordsMax} words in all trees`)
  const words = new Uint32Array(wordCount)
  for (const category of members) words[category >>> 5] = (words[category >>> 5] as number) | (1 << (category & 31))
  return words
}

function refuse(raw: RawTree, reason: ModelFileReason, problem: string): ModelFileError {
  return new ModelFileError(reason, problem, raw.where)
}
