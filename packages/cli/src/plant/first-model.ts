import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Plan } from '@millwright/core'
import type { Engine } from '@millwright/engine'
import { loadPublishedPackage } from '../models/load-package.ts'

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
  project: { readonly plan: Plan; readonly directory: string },
  dataDirectory: string,
): Promise<{ readonly name: string; readonly version: string } | null> {
  const path = join(project.directory, projectModelFile)
  if (!existsSync(path) || newestFits(engine, project.plan, dataDirectory)) return null
  const activeFromMs = Date.now() + activeAfterMs
  const { name, version } = await engine.publish(readFileSync(path), { activeFromMs })
  // The first readings may come right after: they must find the model in force.
  for (let leftMs = activeFromMs - Date.now(); leftMs >= 0; leftMs = activeFromMs - Date.now()) await wait(leftMs + 1)
  return { name, version }
}

/** Whether the newest model published is one that the plan takes; false where none was. */
export function newestFits(engine: Engine, plan: Plan, dataDirectory: string): boolean {
  const newest = engine.listModels().at(-1)
  if (newest === undefined) return false
  const bytes = readFileSync(join(dataDirectory, 'models', `${newest.sha256}.mwmodel`))
  return loadPublishedPackage(bytes, plan) !== null
}
