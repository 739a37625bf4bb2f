import { assert } from '@millwright/core'
import type { Forest } from '@millwright/kernels'
import type { TreeModel } from '../xgboost/model.ts'
import { planTables, tableEntriesMax } from './tree-shap-plan.ts'
import { TreeShapTables } from './tree-shap-tables.ts'
import { TreeShapWalk } from './tree-shap-walk.ts'

/**
 * TreeSHAP: how much each feature moved the margin of one row against the average over the training rows.
 *
 * A tree is looked up in tables where these stay small ({@link TreeShapTables}), else walked ({@link TreeShapWalk}). Which of
 * the two follows from the model alone, so that equal rows give equal bits whatever was explained before.
 *
 * Source: dmlc/xgboost 3.2 `src/predictor/cpu_predictor.cc`, PredictContribution: trees are added in float32, in order.
 */
export class TreeShap {
  readonly #model: TreeModel
  readonly #treeEnd: number
  /** Average margin of each group. */
  readonly #biases: Float32Array
  readonly #tables: TreeShapTables
  readonly #walk: TreeShapWalk
  /** Contributions of one tree that is walked. */
  readonly #ofTree: Float32Array

  /**
   * @param treeEnd Trees that count: the first ones.
   * @param entriesMax Values in all tables together, 4 bytes each; 0: every tree that has a split is walked.
   */
  constructor(model: TreeModel, treeEnd: number, entriesMax: number = tableEntriesMax) {
    assert(model.cover !== null, 'a model whose leaves are vectors has no cover to explain by')
    this.#model = model
    this.#treeEnd = treeEnd
    this.#biases = averageMargins(model, model.cover, treeEnd)
    this.#tables = new TreeShapTables(planTables(model.forest, model.cover, treeEnd, entriesMax))
    this.#walk = new TreeShapWalk(model.forest, model.cover)
    this.#ofTree = new Float32Array(model.featureCount)
  }

  /** Trees that are looked up in tables; the others are walked. */
  get tabulatedTreeCount(): number {
    return this.#tables.treeCount
  }

  /**
   * Writes the contributions of one row to `out`: for each group, those of the features in order and last the bias, which
   * is the average margin. Each group's sum is its margin, but for rounding.
   *
   * @param row One value per feature; NaN is missing.
   */
  explain(row: Float32Array, out: Float32Array): void {
    const { featureCount, groupCount, forest, treeWeights } = this.#model
    const columnCount = featureCount + 1
    out.fill(0, 0, groupCount * columnCount)
    for (let tree = 0; tree < this.#treeEnd; tree++) {
      const start = (forest.groups[tree] as number) * columnCount
      const weight = treeWeights === null ? 1 : (treeWeights[tree] as number)
      if (this.#tables.has(tree)) this.#tables.addTree(tree, row, weight, out, start)
      else this.#addWalked(tree, row, weight, out, start)
    }
    for (let group = 0; group < groupCount; group++)
      out[group * columnCount + featureCount] = this.#biases[group] as number
  }

  #addWalked(tree: number, row: Float32Array, weight: number, out: Float32Array, start: number): void {
    const ofTree = this.#ofTree
    ofTree.fill(0)
    this.#walk.addTree(tree, row, ofTree)
    for (let feature = 0; feature < ofTree.length; feature++)
      out[start + feature] = (out[start + feature] as number) + Math.fround((ofTree[feature] as number) * weight)
  }
}

function averageMargins(model: TreeModel, cover: Float32Array, treeEnd: number): Float32Array {
  const { forest, treeWeights, groupCount, baseMargins } = model
  const averages = new Float32Array(groupCount)
  for (let tree = 0; tree < treeEnd; tree++) {
    const group = forest.groups[tree] as number
    const weight = treeWeights === null ? 1 : (treeWeights[tree] as number)
    const share = Math.fround(averageOfLeaves(forest, cover, forest.roots[tree] as number) * weight)
    averages[group] = (averages[group] as number) + share
  }
  return averages.map((average, group) => average + (baseMargins[group] as number))
}

/**
 * Average of the leaves below a node, weighed by cover. Recursion is as deep as the tree.
 * Source: dmlc/xgboost 3.2 `src/predictor/cpu_predictor.cc`, FillNodeMeanValues.
 */
function averageOfLeaves(forest: Forest, cover: Float32Array, node: number): number {
  const { fround } = Math
  const left = forest.left[node] as number
  if (left === -1) return forest.value[node] as number
  const right = forest.right[node] as number
  const leftPart = fround(averageOfLeaves(forest, cover, left) * (cover[left] as number))
  const rightPart = fround(averageOfLeaves(forest, cover, right) * (cover[right] as number))
  return fround(fround(leftPart + rightPart) / (cover[node] as number))
}
