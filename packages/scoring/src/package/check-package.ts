import { encodeBase64, type LoadedModel, type Plan } from '@millwright/core'
import { type CompiledModel, compileScorer } from '../evaluate/compile.ts'
import { ModelFileError } from '../model-file/model-file-error.ts'
import type { XgboostModel } from '../xgboost/model.ts'
import { readXgboostModel } from '../xgboost/read-model.ts'
import { firstDifference } from './golden-rows.ts'
import type { PackagedFeature } from './manifest.ts'
import type { ModelPackage } from './open-package.ts'
import type { PackageCrypto } from './package-crypto.ts'
import { ModelPackageError } from './package-error.ts'

/**
 * Decides whether a package may score in a plant, and loads it. Cheap and trustworthy things first: the name, the
 * signature, the features; only then is the model read and made to answer its golden rows.
 *
 * Where the plan trusts keys, the package must be signed by one of them. A signature that nobody asked for must hold too.
 *
 * @throws {ModelPackageError} With the one reason that was met first.
 */
export function checkModelPackage(modelPackage: ModelPackage, plan: Plan, crypto: PackageCrypto): LoadedModel {
  const { manifest } = modelPackage
  if (plan.model === null)
    throw new ModelPackageError('plan-without-model', `the plant "${plan.name}" declares no model`)
  if (manifest.name !== plan.model.name)
    throw new ModelPackageError('name-differs', `found "${manifest.name}", the plant wants "${plan.model.name}"`)
  checkSignature(modelPackage, plan.model.trustedKeys, crypto)
  checkFeatures(manifest.features, plan.features)
  return loadPackagedModel(modelPackage)
}

/**
 * Loads the model of a package without asking any plan: reads it, holds it to the manifest, scores the golden rows again.
 * Does not look at the signature.
 *
 * @throws {ModelPackageError}
 */
export function loadPackagedModel(modelPackage: ModelPackage): LoadedModel & { readonly scorer: CompiledModel } {
  const { manifest, modelBytes, sha256 } = modelPackage
  const model = readModel(modelBytes)
  if (model.objective.name !== manifest.objective)
    throw new ModelPackageError(
      'objective-differs',
      `the model has ${model.objective.name}, the manifest says ${manifest.objective}`,
    )
  const featureNames = manifest.features.map((feature) => feature.name)
  if (model.featureCount !== featureNames.length)
    throw new ModelPackageError(
      'model-feature-count-differs',
      `the model takes ${model.featureCount} features, the manifest lists ${featureNames.length}`,
    )
  const differing = model.featureNames?.findIndex((name, i) => name !== featureNames[i]) ?? -1
  if (differing >= 0)
    throw new ModelPackageError(
      'model-feature-names-differ',
      `feature ${differing} is "${model.featureNames?.[differing]}" in the model, "${featureNames[differing]}" in the manifest`,
    )
  const scorer = compileScorer(model)
  if (!scorer.givesProbability)
    throw new ModelPackageError(
      'not-a-probability',
      `${model.objective.name} with ${model.groupCount} outputs; wanted one probability, as of binary:logistic`,
    )
  const difference = firstDifference(scorer, manifest.goldenRows)
  if (difference !== null)
    throw new ModelPackageError(
      'golden-rows-differ',
      `golden row ${difference.row} gives ${difference.found}, the package says ${difference.wanted}`,
      { ...difference },
    )
  return { name: manifest.name, version: manifest.version, sha256, threshold: manifest.threshold, featureNames, scorer }
}

function readModel(bytes: Uint8Array): XgboostModel {
  try {
    return readXgboostModel(bytes)
  } catch (error) {
    if (!(error instanceof ModelFileError)) throw error
    throw new ModelPackageError('model-unreadable', error.message, { modelReason: error.reason }, error)
  }
}

function checkSignature(modelPackage: ModelPackage, trustedKeys: readonly string[], crypto: PackageCrypto): void {
  const { signature } = modelPackage
  if (signature === null) {
    if (trustedKeys.length === 0) return
    throw new ModelPackageError('signature-missing', `wanted one by any of ${trustedKeys.length} trusted keys`)
  }
  const key = encodeBase64(signature.publicKey)
  if (trustedKeys.length > 0 && !trustedKeys.includes(key))
    throw new ModelPackageError('signer-unknown', `signed by ${key}, which the plant does not trust`, { key })
  if (!crypto.verifyEd25519(signature.publicKey, signature.message, signature.signature))
    throw new ModelPackageError('signature-invalid', `the signature by ${key} does not hold`, { key })
}

function checkFeatures(found: readonly PackagedFeature[], wanted: readonly PackagedFeature[]): void {
  if (found.length !== wanted.length)
    throw new ModelPackageError(
      'feature-count-differs',
      `the model takes ${found.length} features, the plant computes ${wanted.length}`,
    )
  const at = found.findIndex((feature, i) => feature.name !== wanted[i]?.name)
  if (at >= 0) {
    const names = new Set(wanted.map((feature) => feature.name))
    const sameSet = found.every((feature) => names.has(feature.name))
    throw new ModelPackageError(
      sameSet ? 'feature-order-differs' : 'feature-names-differ',
      `feature ${at} is "${found[at]?.name}" in the package, "${wanted[at]?.name}" in the plant`,
      { feature: at },
    )
  }
  const unit = found.findIndex((feature, i) => feature.unit !== wanted[i]?.unit)
  if (unit >= 0)
    throw new ModelPackageError(
      'feature-units-differ',
      `"${found[unit]?.name}" is in "${found[unit]?.unit}" in the package, in "${wanted[unit]?.unit}" in the plant`,
      { feature: unit },
    )
}
