import type { Forest } from '@millwright/kernels'
import type { Objective } from './objective.ts'

/** What every XGBoost model has, whatever its booster. */
interface ModelBase {
  /** Version of XGBoost that wrote the file: major, minor, patch. */
  readonly version: readonly [number, number, number]
  readonly objective: Objective
  /** Values of a row. */
  readonly featureCount: number
  /** Margins of a row: classes or targets, 1 for a binary model. */
  readonly groupCount: number
  /** Where the margin of each group begins: `base_score` after the objective's link. */
  readonly baseMargins: Float32Array
  /** As the file has them; `null` where it has none. */
  readonly featureNames: readonly string[] | null
  /** Iteration that early stopping found best, from 0; `null` where it was not used. `predict` does not stop there by itself. */
  readonly bestIteration: number | null
}

/** Trees whose leaves are summed: boosters `gbtree` and `dart`. */
export interface TreeModel extends ModelBase {
  readonly kind: 'trees'
  readonly booster: 'gbtree' | 'dart'
  /** Leaves as the file has them, before `treeWeights`. */
  readonly forest: Forest
  /** Sum of hessians of each node of the forest, by which explanations weigh branches; `null` where leaves are vectors. */
  readonly cover: Float32Array | null
  /** Weight of each tree's leaf in the sum (`dart`); `null`: 1. */
  readonly treeWeights: Float32Array | null
  /** Iteration i has the trees from `iterationStarts[i]` up to `iterationStarts[i + 1]`. */
  readonly iterationStarts: Int32Array
}

/** A weighted sum of features: booster `gblinear`. */
export interface LinearModel extends ModelBase {
  readonly kind: 'linear'
  readonly booster: 'gblinear'
  /** Weight of feature f for group g is `weights[f * groupCount + g]`; the biases of the groups follow the last feature's. */
  readonly weights: Float32Array
}

export type XgboostModel = TreeModel | LinearModel
