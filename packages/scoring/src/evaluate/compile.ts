import { MillwrightError, type Scorer } from '@millwright/core'
import { createTreeEvaluator, type Forest, type TreeEvaluator } from '@millwright/kernels'
import type { TreeModel, XgboostModel } from '../xgboost/model.ts'
import { createLinearEvaluator, explainLinear } from './linear.ts'
import { predictionsPerRow, transformMargins } from './transform.ts'
import { TreeShap } from './tree-shap.ts'

/** A model was asked for something that it does not give, or handed rows that are not its shape. */
export class ScoringError extends MillwrightError {
  readonly code = 'SCORING'
  readonly retry = 'never'
}

/**
 * A model ready to score. Not for two threads at once; a call sees nothing of earlier ones.
 *
 * Rows are `featureCount` float32 values each, one row after another; NaN is missing. Infinite values are compared like
 * any others, though XGBoost's own DMatrix refuses them.
 */
export interface CompiledModel extends Scorer {
  readonly featureCount: number
  /** Margins of a row. */
  readonly groupCount: number
  /** Predictions of a row: `groupCount`, or 1 where the prediction is a class. */
  readonly predictionCount: number
  /** Whether the one prediction of a row is a probability: then, and only then, `score` works. */
  readonly givesProbability: boolean
  /** Whether `contributions` works: not for trees whose leaves are vectors. */
  readonly canExplain: boolean
  /** What `Booster.predict` gives: `predictionCount` float32 a row. @throws {ScoringError} When an array is too short. */
  predict(rows: Float32Array, rowCount: number, out: Float32Array): void
  /** What `Booster.predict(output_margin=True)` gives: `groupCount` float32 a row. @throws {ScoringError} As `predict`. */
  margins(rows: Float32Array, rowCount: number, out: Float32Array): void
  /** @throws {ScoringError} Where the model gives no single probability, or as `predict`. */
  score(rows: Float32Array, rowCount: number, out: Float32Array): void
  /**
   * What `Booster.predict(pred_contribs=True)` gives for one row, to 1e-5: for each group the features' contributions to
   * the margin, and last the bias.
   *
   * @throws {ScoringError} Where leaves are vectors, which XGBoost 3.2 does not explain either.
   */
  contributions(row: Float32Array): Float32Array
}

/** Iterations to score with, as `iteration_range` of `Booster.predict`: from 0, `end` excluded. */
export interface CompileOptions {
  /** Default: all iterations, as `Booster.predict`; scikit-learn's classes stop behind `bestIteration`. */
  readonly iterationEnd?: number
}

/**
 * Compiles a model. Margins and predictions have the bits that XGBoost's `predict` gives on x86-64.
 *
 * @throws {ScoringError} When `iterationEnd` is not 1 up to the number of iterations.
 */
export function compileScorer(model: XgboostModel, options: CompileOptions = {}): CompiledModel {
  const { featureCount, groupCount, objective } = model
  const predictionCount = predictionsPerRow(objective.transform, groupCount)
  const givesProbability = objective.transform === 'sigmoid' && groupCount === 1
  const canExplain = model.kind === 'linear' || model.cover !== null
  const evaluator = createEvaluator(model, options.iterationEnd)
  let explainer: TreeShap | null = null
  /** Margins of a batch where predictions are fewer than margins. */
  let classMargins = new Float32Array(0)

  const margins = (rows: Float32Array, rowCount: number, out: Float32Array): void => {
    demandLength('rows', rows, rowCount * featureCount)
    demandLength('out', out, rowCount * groupCount)
    evaluator.margins(rows, rowCount, out)
  }
  const predict = (rows: Float32Array, rowCount: number, out: Float32Array): void => {
    if (predictionCount === groupCount) {
      margins(rows, rowCount, out)
      transformMargins(objective.transform, out, rowCount, groupCount)
      return
    }
    demandLength('out', out, rowCount * predictionCount)
    if (classMargins.length < rowCount * groupCount) classMargins = new Float32Array(rowCount * groupCount)
    margins(rows, rowCount, classMargins)
    transformMargins(objective.transform, classMargins, rowCount, groupCount)
    out.set(classMargins.subarray(0, rowCount * predictionCount))
  }
  return {
    featureCount,
    groupCount,
    predictionCount,
    givesProbability,
    canExplain,
    margins,
    predict,
    score: givesProbability
      ? predict
      : () => {
          throw new ScoringError(
            `Cannot score as ${objective.name} with ${groupCount} outputs gives no single probability: want binary:logistic`,
          )
        },
    contributions(row) {
      demandLength('row', row, featureCount)
      const out = new Float32Array(groupCount * (featureCount + 1))
      if (model.kind === 'linear') explainLinear(model, row, out)
      else {
        if (!canExplain) throw new ScoringError('Cannot explain a model whose leaves are vectors')
        explainer ??= new TreeShap(model, treeEndOf(model, options.iterationEnd))
        explainer.explain(row, out)
      }
      return out
    },
  }
}

function createEvaluator(model: XgboostModel, iterationEnd: number | undefined): TreeEvaluator {
  if (model.kind === 'linear') return createLinearEvaluator(model)
  return createTreeEvaluator(weightedForest(model, treeEndOf(model, iterationEnd)), model.baseMargins)
}

function treeEndOf(model: TreeModel, iterationEnd: number | undefined): number {
  const iterationCount = model.iterationStarts.length - 1
  if (iterationEnd === undefined) return model.forest.roots.length
  if (!Number.isInteger(iterationEnd) || iterationEnd < 1 || iterationEnd > iterationCount)
    throw new ScoringError(`Cannot score with ${iterationEnd} iterations: want 1 to ${iterationCount}`)
  return model.iterationStarts[iterationEnd] as number
}

/** The first trees, with `dart`'s weights multiplied into the leaves: as XGBoost multiplies, so that the bits are the same. */
function weightedForest(model: TreeModel, treeEnd: number): Forest {
  const { forest, treeWeights } = model
  const roots = forest.roots.subarray(0, treeEnd)
  const groups = forest.groups.subarray(0, treeEnd)
  if (treeWeights === null) return { ...forest, roots, groups }
  const value = forest.value.slice()
  const leafVectors = forest.leafVectors?.slice() ?? null
  forest.roots.forEach((root, tree) => {
    const weight = treeWeights[tree] as number
    // A tree's nodes stand together, the root first.
    const end = forest.roots[tree + 1] ?? forest.left.length
    for (let node = root; node < end; node++) {
      if (forest.left[node] !== -1) continue
      // The leaf is first added to 0, which makes -0 a 0.
      value[node] = Math.fround((value[node] as number) + 0) * weight
      if (leafVectors === null) continue
      const start = (forest.right[node] as number) * forest.groupCount
      for (let k = start; k < start + forest.groupCount; k++) leafVectors[k] = ((leafVectors[k] as number) + 0) * weight
    }
  })
  return { ...forest, roots, groups, value, leafVectors }
}

function demandLength(name: string, values: Float32Array, wanted: number): void {
  if (values.length < wanted)
    throw new ScoringError(`Cannot score as "${name}" has ${values.length} values: want ${wanted} or more`)
}
