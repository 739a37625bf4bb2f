import type { LoadedModel, Plan } from '@millwright/core'
import { checkModelPackage, openModelPackage } from '@millwright/scoring'
import { nodeCrypto } from './node-crypto.ts'

/**
 * Checks a model package against a plan, with its hash, signature and golden rows, and makes it ready to score.
 *
 * @throws {ModelPackageError} With the reason for which it is refused.
 */
export function loadPackage(bytes: Uint8Array, plan: Plan): LoadedModel {
  return checkModelPackage(openModelPackage(bytes, nodeCrypto), plan, nodeCrypto)
}
