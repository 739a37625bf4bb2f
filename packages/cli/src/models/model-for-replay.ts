import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError, type LoadedModel, type Plan } from '@millwright/core'
import { isModelPackage, modelOfBareFile } from '@millwright/scoring'
import { projectModelFile } from '../plant/first-model.ts'
import { loadPackage } from './load-package.ts'
import { nodeCrypto } from './node-crypto.ts'

/**
 * Returns the model that a replay scores with: the file asked for, a package or a bare XGBoost file, or else the
 * project's own package; `null` where there is neither.
 *
 * @throws {ConfigurationError} When the file cannot be read, and what refuses a model or package.
 */
export function modelForReplay(plan: Plan, projectDirectory: string, file: string | undefined): LoadedModel | null {
  const path = file ?? join(projectDirectory, projectModelFile)
  if (file === undefined && !existsSync(path)) return null
  const bytes = readModelFile(path)
  return isModelPackage(bytes) ? loadPackage(bytes, plan) : modelOfBareFile(bytes, plan, nodeCrypto)
}

/** Reads a model or package. @throws {ConfigurationError} When there is no such file. */
export function readModelFile(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigurationError(
      'The model cannot be read.',
      [
        {
          field: '--model',
          found: `${path} (${error instanceof Error && 'code' in error ? String(error.code) : String(error)})`,
          wanted: 'a model package or an XGBoost file (.json, .ubj)',
        },
      ],
      error,
    )
  }
}
