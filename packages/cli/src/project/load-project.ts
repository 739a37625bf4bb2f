import { existsSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigurationError, MillwrightError, type Plan } from '@millwright/core'
import { providedModules } from '../installation.ts'

/** A project as it was found and checked. */
export interface LoadedProject {
  readonly plan: Plan
  /** Folder of the project, absolute. */
  readonly directory: string
  /** Path of its configuration, absolute. */
  readonly configPath: string
}

export const configFileName = 'millwright.config.ts'

/**
 * Loads a project: runs its `millwright.config.ts`, whose default export is what `definePlant` returned.
 *
 * @param path A folder, or the configuration file itself.
 * @throws {ConfigurationError} When there is none, when it does not load (the message has the place), or when it
 *   exports something else; and what `definePlant` throws.
 */
export async function loadProject(path: string): Promise<LoadedProject> {
  const configPath = configPathOf(path)
  provideOwnPackages()
  let exported: unknown
  try {
    const module = (await import(pathToFileURL(configPath).href)) as { default?: unknown }
    exported = module.default
  } catch (error) {
    // What definePlant found says it best itself.
    if (error instanceof MillwrightError) throw error
    throw new ConfigurationError(
      `"${configPath}" cannot be loaded.`,
      [{ field: configFileName, found: placeAndMessage(error, configPath), wanted: 'TypeScript that runs' }],
      error,
    )
  }
  if (!isPlan(exported))
    throw new ConfigurationError(`"${configPath}" declares no plant.`, [
      { field: 'default export', found: describe(exported), wanted: 'export default definePlant({ … })' },
    ])
  return { plan: exported, directory: dirname(configPath), configPath }
}

function configPathOf(path: string): string {
  const given = resolve(path)
  const configPath = existsSync(given) && statSync(given).isDirectory() ? join(given, configFileName) : given
  if (existsSync(configPath) && statSync(configPath).isFile()) return configPath
  throw new ConfigurationError('There is no project here.', [
    {
      field: 'project',
      found: existsSync(given) ? `${given} without a ${configFileName}` : `${given}, which does not exist`,
      wanted: `a folder with a ${configFileName} (millwright init makes one)`,
    },
  ])
}

let provided = false

/** Makes a project's imports of ours lead to this very copy, wherever the project's folder is. */
function provideOwnPackages(): void {
  if (provided) return
  provided = true
  registerHooks({
    resolve: (specifier, context, next) => {
      const own = providedModules[specifier]
      return own === undefined ? next(specifier, context) : { url: own.href, shortCircuit: true }
    },
  })
}

function isPlan(value: unknown): value is Plan {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'plan'
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? 'an object that definePlant did not make'
      : `a ${typeof value}`
}

/** The message, and the line of the configuration where it came from, if the stack tells. */
function placeAndMessage(error: unknown, configPath: string): string {
  if (!(error instanceof Error)) return String(error)
  const escaped = configPath.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const place = new RegExp(`${escaped}(?:\\?[^:\\s]*)?:(\\d+)(?::(\\d+))?`).exec(error.stack ?? '')
  return `${error.name}: ${error.message}${place === null ? '' : ` (line ${place[1]})`}`
}
