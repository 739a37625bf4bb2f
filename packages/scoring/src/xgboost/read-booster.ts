import { limits } from '@millwright/core'
import { ModelFileError } from '../model-file/model-file-error.ts'
import type { ValueReader } from '../model-file/value-reader.ts'
import { readCount, readFields } from './fields.ts'
import { type CheckedTree, readTree } from './read-tree.ts'

/** The field `gradient_booster` as the file has it, checked in itself. */
export interface RawBooster {
  readonly name: 'gbtree' | 'dart' | 'gblinear'
  readonly trees: readonly CheckedTree[]
  /** Output group of each tree. */
  readonly groups: Int32Array
  readonly iterationStarts: Int32Array
  readonly treeWeights: Float32Array | null
  /** Of `gblinear`; empty before the first round. */
  readonly weights: Float32Array
  /** Rounds that were trained: 0 means that `base_score` was never fitted. */
  readonly roundCount: number
}

/** Fields gathered while reading: which of them matter is known when `name` is, and that comes last. */
interface Gathered {
  name: string
  trees: CheckedTree[] | null
  groups: Int32Array
  treeCount: number
  parallelTreeCount: number
  iterationStarts: Int32Array | null
  treeWeights: Float32Array | null
  weights: Float32Array | null
  linearRoundCount: number
}

/**
 * Reads `gradient_booster`. Source: dmlc/xgboost `src/gbm/gbtree.cc`, `gbtree_model.cc` and `gblinear_model.cc`, LoadModel.
 *
 * @throws {ModelFileError}
 */
export function readBooster(reader: ValueReader): RawBooster {
  const where = reader.where
  const gathered: Gathered = {
    name: '',
    trees: null,
    groups: new Int32Array(0),
    treeCount: 0,
    parallelTreeCount: 1,
    iterationStarts: null,
    treeWeights: null,
    weights: null,
    linearRoundCount: 0,
  }
  const readWeights = () => {
    gathered.treeWeights = reader.float32s(limits.treesMax)
  }
  readFields(
    reader,
    {
      name: () => {
        gathered.name = reader.string()
      },
      model: () => readModel(reader, gathered),
      // `dart` wraps a whole `gbtree`, and up to 3.2 has the weights beside it.
      gbtree: () => readFields(reader, { model: () => readModel(reader, gathered) }, ['model']),
      weight_drop: readWeights,
    },
    ['name'],
  )
  const { name } = gathered
  if (name === 'gbtree' || name === 'dart') return treeBooster(name, gathered, where)
  if (name !== 'gblinear')
    throw new ModelFileError('booster-unsupported', `found "${name}", wanted gbtree, dart or gblinear`, where)
  if (gathered.weights === null) throw new ModelFileError('field-missing', 'no "model.weights"', where)
  return {
    name,
    trees: [],
    groups: gathered.groups,
    iterationStarts: Int32Array.of(0),
    treeWeights: null,
    weights: gathered.weights,
    roundCount: gathered.linearRoundCount,
  }
}

function readModel(reader: ValueReader, gathered: Gathered): void {
  readFields(
    reader,
    {
      trees: () => {
        gathered.trees = readTrees(reader)
      },
      tree_info: () => {
        gathered.groups = reader.integers(limits.treesMax)
      },
      iteration_indptr: () => {
        gathered.iterationStarts = reader.integers(limits.treesMax + 1)
      },
      weight_drop: () => {
        gathered.treeWeights = reader.float32s(limits.treesMax)
      },
      gbtree_model_param: () => {
        readFields(
          reader,
          {
            num_trees: () => {
              gathered.treeCount = readCount(reader, limits.treesMax)
            },
            num_parallel_tree: () => {
              gathered.parallelTreeCount = Math.max(1, readCount(reader, limits.treesMax))
            },
          },
          ['num_trees'],
        )
      },
      weights: () => {
        gathered.weights = reader.float32s((limits.modelFeaturesMax + 1) * limits.outputGroupsMax)
      },
      boosted_rounds: () => {
        gathered.linearRoundCount = reader.number()
      },
    },
    [],
  )
}

function readTrees(reader: ValueReader): CheckedTree[] {
  const trees: CheckedTree[] = []
  const budget = { nodes: limits.treeNodesMax, categoryWords: limits.categoryWordsMax }
  reader.array((index) => {
    if (index === limits.treesMax)
      throw new ModelFileError('too-many', `more than ${limits.treesMax} trees`, reader.where, reader.offsetBytes)
    trees.push(readTree(reader, index, budget))
  })
  return trees
}

function treeBooster(name: 'gbtree' | 'dart', gathered: Gathered, where: string): RawBooster {
  const { trees, groups, treeWeights, treeCount } = gathered
  if (trees === null) throw new ModelFileError('field-missing', 'no "model.trees"', where)
  if (trees.length !== treeCount || groups.length !== treeCount)
    throw new ModelFileError(
      'count-differs',
      `"num_trees" says ${treeCount}, there are ${trees.length} trees and ${groups.length} entries in tree_info`,
      where,
    )
  // Fewer weights than trees are a model that was trained on without dropping: the rest weigh 1.
  if (treeWeights !== null && treeWeights.length > treeCount)
    throw new ModelFileError('count-differs', `${treeWeights.length} tree weights for ${treeCount} trees`, where)
  for (const weight of treeWeights ?? [])
    if (!Number.isFinite(weight)) throw new ModelFileError('number-out-of-range', `a tree weight of ${weight}`, where)
  const iterationStarts = gathered.iterationStarts ?? countedStarts(gathered)
  checkStarts(iterationStarts, treeCount, where)
  return {
    name,
    trees,
    groups,
    iterationStarts,
    treeWeights:
      treeWeights === null ? null : Float32Array.from({ length: treeCount }, (_, tree) => treeWeights[tree] ?? 1),
    weights: new Float32Array(0),
    roundCount: treeCount,
  }
}

/** Before 2.0 a file does not say where iterations begin: each has `num_parallel_tree` trees for each group. */
function countedStarts(gathered: Gathered): Int32Array {
  if (gathered.treeCount === 0) return Int32Array.of(0)
  const groupCount = gathered.groups.reduce((max, group) => Math.max(max, group), 0) + 1
  const perIteration = gathered.parallelTreeCount * groupCount
  return Int32Array.from({ length: Math.floor(gathered.treeCount / perIteration) + 1 }, (_, i) => i * perIteration)
}

function checkStarts(starts: Int32Array, treeCount: number, where: string): void {
  const ascending = starts.every((start, i) => start >= (i === 0 ? 0 : (starts[i - 1] as number)))
  if (starts.length === 0 || starts[0] !== 0 || !ascending || starts.at(-1) !== treeCount)
    throw new ModelFileError('count-differs', `iterations must begin at 0 and end at ${treeCount} trees`, where)
}
