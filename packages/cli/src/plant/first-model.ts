import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '@millwright/engine'
import { awaitMoment } from '../models/await-moment.ts'
import type { PackageJudge } from './published-models.ts'

/** The package that a project brings along: published when no model ever was, or none that the plan of today takes. */
export const projectModelFile = 'model.mwmodel'

/** Time for every worker to have the model before the first reading: nothing is scored without it meanwhile. */
const activeAfterMs = 100

/**
 * Publishes the project's own package where nothing was published yet, or where the plan has changed so that it does not
 * take what was, and returns when it is in force.
 *
 * @returns Its name and version; `null` where nothing was to be done, or there is no package.
 * @throws What `Engine.publish` throws: a package that does not match the plan stops the start.
 */
export async function publishFirstModel(
  engine: Engine,
  project: { readonly directory: string },
  judge: PackageJudge,
): Promise<{ readonly name: string; readonly version: string } | null> {
  const path = join(project.directory, projectModelFile)
  if (!existsSync(path) || hasFittingModel(engine, judge)) return null
  const activeFromMs = Date.now() + activeAfterMs
  const { name, version } = await engine.publish(readFileSync(path), { activeFromMs })
  // The first readings may come right after: they must find the model in force.
  await awaitMoment(activeFromMs)
  return { name, version }
}

/** Whether a model that the plan takes is in force in every partition, or will be without anything more being published. */
export function hasFittingModel(engine: Engine, judge: PackageJudge): boolean {
  return engine.activations().every((seen) => seen.some(({ update }) => judge.refusal(update.sha256) === null))
}
