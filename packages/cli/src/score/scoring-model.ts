import { ConfigurationError } from '@millwright/core'
import {
  type CompiledModel,
  compileScorer,
  isModelPackage,
  loadPackagedModel,
  openModelPackage,
  type RowShape,
  readXgboostModel,
} from '@millwright/scoring'
import { nodeCrypto } from '../models/node-crypto.ts'

/** A model file made ready for `millwright score`. */
export interface ScoringModel {
  readonly kind: 'package' | 'bare'
  /** Of a package; `null` for a bare file. */
  readonly name: string | null
  readonly version: string | null
  readonly scorer: CompiledModel
  readonly shape: RowShape
  /** Something the user may want to know about this model; `null` for nothing. */
  readonly note: string | null
}

/**
 * Loads a package, with its hash and golden rows checked, or a bare XGBoost file.
 *
 * @param iterationEnd Iterations to score with; `null`: all, as `Booster.predict`.
 * @throws {ConfigurationError} When `iterationEnd` is given for what has none.
 * @throws {ModelPackageError} @throws {ModelFileError} @throws {ScoringError}
 */
export function loadScoringModel(bytes: Uint8Array, iterationEnd: number | null): ScoringModel {
  if (isModelPackage(bytes)) {
    if (iterationEnd !== null) throw noIterations('a model package, which is scored as a whole')
    const { name, version, scorer, featureNames } = loadPackagedModel(openModelPackage(bytes, nodeCrypto))
    return {
      kind: 'package',
      name,
      version,
      scorer,
      shape: { featureCount: scorer.featureCount, featureNames },
      note: null,
    }
  }
  const model = readXgboostModel(bytes)
  if (iterationEnd !== null && model.kind === 'linear') throw noIterations('a linear model, which has no iterations')
  const scorer = compileScorer(model, iterationEnd === null ? {} : { iterationEnd })
  const best = model.bestIteration
  const stopped = model.kind === 'trees' && best !== null && best + 1 < model.iterationStarts.length - 1
  return {
    kind: 'bare',
    name: null,
    version: null,
    scorer,
    shape: { featureCount: model.featureCount, featureNames: model.featureNames },
    note:
      stopped && iterationEnd === null
        ? `Early stopping found iteration ${best} best. All ${model.iterationStarts.length - 1} are used, as by Booster.predict; scikit-learn's classes stop there: --iterations ${best + 1}.`
        : null,
  }
}

function noIterations(found: string): ConfigurationError {
  return new ConfigurationError('The command cannot run.', [
    { field: '--iterations', found, wanted: 'an XGBoost file of booster gbtree or dart' },
  ])
}
