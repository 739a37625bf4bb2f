import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Engine } from '@millwright/engine'

/** The package that a project brings along: published when no model ever was. */
export const projectModelFile = 'model.mwmodel'

/** Time for every worker to have the model before the first reading: nothing is scored without it meanwhile. */
const activeAfterMs = 100

/**
 * Publishes the project's own package where nothing was published yet, and returns when it is in force.
 *
 * @returns Its name and version; `null` where nothing was to be done.
 * @throws What `Engine.publish` throws: a package that does not match the plan stops the start.
 */
export async function publishFirstModel(
  engine: Engine,
  projectDirectory: string,
): Promise<{ readonly name: string; readonly version: string } | null> {
  const path = join(projectDirectory, projectModelFile)
  if (engine.listModels().length > 0 || !existsSync(path)) return null
  const activeFromMs = Date.now() + activeAfterMs
  const { name, version } = await engine.publish(readFileSync(path), { activeFromMs })
  // The first readings may come right after: they must find the model in force.
  for (let leftMs = activeFromMs - Date.now(); leftMs >= 0; leftMs = activeFromMs - Date.now()) await wait(leftMs + 1)
  return { name, version }
}
