import type { LoadedModel, Plan } from '@millwright/core'
import { compileScorer } from '../evaluate/compile.ts'
import { readXgboostModel } from '../xgboost/read-model.ts'
import { hexOfBytes } from './hex.ts'
import type { PackageCrypto } from './package-crypto.ts'
import { ModelPackageError } from './package-error.ts'

/** Alert threshold of a model that comes without one, in a plan that names none either: the reference pipeline's. */
export const bareModelThreshold = 0.8

/** Hexadecimal digits of the hash that make the version of a bare model. */
const versionDigits = 12

/**
 * Loads a bare XGBoost file as the plan's model, for `replay --model FILE`: trying a model on recorded readings. It brings no
 * names, units, threshold or golden rows, so that only the number of features is held to the plan, and the names where the
 * file has some. Its version is `bare-` and the first digits of its SHA-256, its threshold the plan's, else 0.8.
 *
 * @throws {ModelFileError} When it cannot be read.
 * @throws {ModelPackageError} `plan-without-model`; `signature-missing` where the plan trusts keys, since a bare file has no
 * signature; `feature-count-differs`; `feature-names-differ`; `not-a-probability`.
 */
export function modelOfBareFile(bytes: Uint8Array, plan: Plan, crypto: PackageCrypto): LoadedModel {
  if (plan.model === null)
    throw new ModelPackageError('plan-without-model', `the plant "${plan.name}" declares no model`)
  if (plan.model.trustedKeys.length > 0)
    throw new ModelPackageError(
      'signature-missing',
      'a bare model is not signed, and the plant trusts only signed ones',
    )
  const model = readXgboostModel(bytes)
  const featureNames = plan.features.map((feature) => feature.name)
  if (model.featureCount !== featureNames.length)
    throw new ModelPackageError(
      'feature-count-differs',
      `the model takes ${model.featureCount} features, the plant computes ${featureNames.length}`,
    )
  const differing = model.featureNames?.findIndex((name, i) => name !== featureNames[i]) ?? -1
  if (differing >= 0)
    throw new ModelPackageError(
      'feature-names-differ',
      `feature ${differing} is "${model.featureNames?.[differing]}" in the model, "${featureNames[differing]}" in the plant`,
    )
  const scorer = compileScorer(model)
  if (!scorer.givesProbability)
    throw new ModelPackageError('not-a-probability', `${model.objective.name} with ${model.groupCount} outputs`)
  const sha256 = hexOfBytes(crypto.sha256(bytes))
  return {
    name: plan.model.name,
    version: `bare-${sha256.slice(0, versionDigits)}`,
    sha256,
    threshold: plan.alert.threshold ?? bareModelThreshold,
    featureNames,
    scorer,
  }
}
