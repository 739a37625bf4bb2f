import { readFileSync } from 'node:fs'
import { dirname, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext, Script } from 'node:vm'
import { ConfigurationError, type ConfigurationProblem } from '@millwright/core'
import { type BuildFailure, build, type Plugin } from 'esbuild'
import { bridgeVersion, type GuestFunctions } from '../bridge.ts'
import { type GuestStates, scriptName } from '../guest/guest.ts'
import { placesInSources } from '../guest/stack-places.ts'
import { refusedIn, refuseProblems } from './refusals.ts'

/** One script with everything in it, and where its places come from. */
export interface GuestBundle {
  readonly script: string
  /** Source map, version 3, as JSON; sources are named from the project's folder. */
  readonly sourceMap: string
}

/** What a project may import though its folder has no `node_modules`: the release's own copies. */
const providedPackages = /^@millwright\/(?:plant|core)$/

/**
 * Bundles a project's configuration, the operators, the scorer and the kernels into the script that runs in Flink's V8, and runs it
 * once in a scope as bare as that one.
 *
 * @param configPath The project's `millwright.config.ts`, absolute.
 * @param states What the devices' states are that the guest will find.
 * @throws {ConfigurationError} Naming file, line and column of each thing that plain V8 lacks or that would not be the same twice.
 */
export async function bundleGuest(configPath: string, states: GuestStates = {}): Promise<GuestBundle> {
  const project = dirname(configPath)
  const install = fileURLToPath(new URL('../guest/install.ts', import.meta.url))
  const problems: ConfigurationProblem[] = []
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `import plan from ${JSON.stringify(configPath)}\nimport { installGuest } from ${JSON.stringify(install)}\ninstallGuest(plan, ${JSON.stringify(states)})\n`,
        resolveDir: project,
        sourcefile: 'guest-entry.ts',
      },
      bundle: true,
      write: false,
      outfile: resolve(project, scriptName),
      format: 'iife',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import'],
      target: 'es2022',
      charset: 'utf8',
      sourcemap: 'external',
      sourcesContent: false,
      legalComments: 'none',
      // Names stand in errors that a person reads.
      keepNames: true,
      minifyWhitespace: true,
      logLevel: 'silent',
      plugins: [ownPackages(), refusing(project, problems)],
    })
    refuseProblems(problems)
    const text = (ending: string): string => {
      const file = outputFiles.find(({ path }) => path.endsWith(ending))
      if (file === undefined) throw new Error(`esbuild gives a file that ends in ${ending}`)
      return file.text
    }
    const bundle = { script: text('.js'), sourceMap: text('.map') }
    tryGuest(bundle)
    return bundle
  } catch (error) {
    // What was refused says more than what esbuild could then not resolve.
    refuseProblems(problems)
    if (!isBuildFailure(error)) throw error
    refuseProblems(
      error.errors.map(({ text, location }) => ({
        field: location === null ? configPath : `${location.file}:${location.line}:${location.column + 1}`,
        found: text,
        wanted: 'TypeScript that can be bundled for plain V8',
      })),
    )
    throw error
  }
}

/**
 * Makes a project's imports of ours lead to the sources that the guest itself is made of. esbuild looks them up: Node would follow the
 * command line's own redirection, to a bundle made for Node.
 */
function ownPackages(): Plugin {
  const inside = Symbol('looking up')
  return {
    name: 'own-packages',
    setup: ({ onResolve, resolve }) => {
      onResolve({ filter: providedPackages }, ({ path, kind, pluginData }) =>
        pluginData === inside ? null : resolve(path, { kind, resolveDir: import.meta.dirname, pluginData: inside }),
      )
    },
  }
}

/** Looks at every file of the project itself; what it depends on is only run. */
function refusing(project: string, problems: ConfigurationProblem[]): Plugin {
  const own = new Set<string>()
  return {
    name: 'refusing',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^node:/ }, ({ path, importer }) => {
        const name = relative(project, importer)
        const line = lineOf(importer, path)
        problems.push({ field: `${name}:${line}`, found: path, wanted: 'no module of Node: plain V8 has none' })
        return { path, external: true }
      })
      onLoad({ filter: /\.[cm]?[jt]s$/ }, ({ path }) => {
        const inProject = path.startsWith(project + sep) && !path.includes(`${sep}node_modules${sep}`)
        if (!inProject || own.has(path)) return null
        own.add(path)
        const contents = readFileSync(path, 'utf8')
        problems.push(...refusedIn(relative(project, path), contents))
        return { contents, loader: path.endsWith('ts') ? 'ts' : 'js' }
      })
    },
  }
}

function lineOf(file: string, specifier: string): number {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.findIndex((line) => line.includes(`'${specifier}'`) || line.includes(`"${specifier}"`)) + 1
}

/**
 * Runs a bundle in a scope that has the language and nothing else, as Flink's V8 does.
 *
 * @throws {ConfigurationError} When it needs more, or throws.
 */
export function tryGuest({ script, sourceMap }: GuestBundle): void {
  const scope = bareScope()
  try {
    new Script(script, { filename: scriptName }).runInContext(scope)
  } catch (error) {
    // An error of the other scope is no instance of this one's Error.
    const { message, stack } = error as { message?: string; stack?: string }
    throw new ConfigurationError(
      'The project cannot run inside Flink.',
      [
        {
          field:
            /([^\s(]+:\d+:\d+)/.exec(
              placesInSources(String(stack), sourceMap, scriptName).split('\n    at ')[1] ?? '',
            )?.[1] ?? 'bundle',
          found: String(message ?? error),
          wanted: 'code that runs in plain V8, without Node',
        },
      ],
      error,
    )
  }
  const version = runInContext('millwright.version()', scope) as ReturnType<GuestFunctions['version']>
  if (version !== bridgeVersion) throw new Error(`a bundle of this release has bridge version ${bridgeVersion}`)
}

/** A scope that has what V8 alone gives; `SharedArrayBuffer` and `WebAssembly` are V8's own. */
export function bareScope(): ReturnType<typeof createContext> {
  return createContext({ millwrightHost: {} })
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}
