import type { LoadedModel, Plan } from '@millwright/core'
import { checkModelPackage, ModelPackageError, type ModelPackageReason, openModelPackage } from '@millwright/scoring'
import { nodeCrypto } from './node-crypto.ts'

/**
 * Checks a model package against a plan, with its hash, signature and golden rows, and makes it ready to score.
 *
 * @throws {ModelPackageError} With the reason for which it is refused.
 */
export function loadPackage(bytes: Uint8Array, plan: Plan): LoadedModel {
  return checkModelPackage(openModelPackage(bytes, nodeCrypto), plan, nodeCrypto)
}

/** Reasons that lie in the plan: a package that is whole can come to be refused for them when the plan changes. */
const reasonsOfThePlan: ReadonlySet<ModelPackageReason> = new Set<ModelPackageReason>([
  'plan-without-model',
  'name-differs',
  'signature-missing',
  'signer-unknown',
  'feature-count-differs',
  'feature-names-differ',
  'feature-order-differs',
  'feature-units-differ',
])

/**
 * Loads a package that was accepted once; `null` when the plan has changed since and does not take it any more.
 *
 * @throws {ModelPackageError} When the package itself is not what it was.
 */
export function loadPublishedPackage(bytes: Uint8Array, plan: Plan): LoadedModel | null {
  try {
    return loadPackage(bytes, plan)
  } catch (error) {
    if (error instanceof ModelPackageError && reasonsOfThePlan.has(error.reason)) return null
    throw error
  }
}
