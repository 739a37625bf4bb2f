import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelName, ModelUpdate } from '@millwright/core'
import { openTopicReader } from '@millwright/engine'
import { type DriftReference, meanAbsoluteContributions } from '@millwright/monitoring'
import { loadPackagedModel, ModelPackageError, openModelPackage } from '@millwright/scoring'
import { nodeCrypto } from '../models/node-crypto.ts'

/**
 * Returns what finds the training baseline of a model version, with the features' importance by TreeSHAP over the package's golden rows.
 * `null` where the package is not kept any more.
 *
 * @param pathOf Where the package of a model version is; `null` where there is none.
 * @throws What reading the file throws. A package that cannot be read is as one that is not there: scoring says what is wrong with it.
 */
export function driftReferences(
  pathOf: (model: ModelName) => string | null,
): (model: ModelName) => DriftReference | null {
  return (model) => {
    const path = pathOf(model)
    return path === null || !existsSync(path) ? null : referenceOf(readFileSync(path))
  }
}

/** Where a data folder has the package that was last published as a model version; `null` where none was. */
export function packageInFolder(dataDirectory: string, { name, version }: ModelName): string | null {
  const reader = openTopicReader({ directory: dataDirectory, topic: 'model-updates' })
  try {
    let sha256: string | null = null
    for (const { value } of reader) {
      const update = JSON.parse(Buffer.from(value).toString()) as ModelUpdate
      if (update.name === name && update.version === version) sha256 = update.sha256
    }
    return sha256 === null ? null : join(dataDirectory, 'models', `${sha256}.mwmodel`)
  } finally {
    reader.close()
  }
}

function referenceOf(bytes: Uint8Array): DriftReference | null {
  try {
    const opened = openModelPackage(bytes, nodeCrypto)
    const { name, version, features, baseline, goldenRows } = opened.manifest
    const { scorer } = loadPackagedModel(opened)
    const importance = meanAbsoluteContributions(goldenRows.map((row) => scorer.contributions(row.features)))
    return {
      model: { name, version },
      features: features.map((feature, i) => ({
        name: feature.name,
        baseline: baseline.features[i] as DriftReference['probability'],
        importance: importance[i] ?? null,
      })),
      probability: baseline.probability,
    }
  } catch (error) {
    if (error instanceof ModelPackageError) return null
    throw error
  }
}
