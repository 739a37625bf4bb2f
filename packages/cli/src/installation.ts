import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Where the parts of this copy of Millwright are. It runs from the sources or from the bundle that `scripts/build.ts` makes of
 * them, one folder `src` or `dist` beside the other; nothing else needs to know which.
 */
const bundled = !import.meta.url.endsWith('.ts')

function part(source: string, bundle: string): URL {
  return new URL(bundled ? bundle : source, import.meta.url)
}

/** What a partition worker thread runs. */
export const workerModule = part('./plant/worker.ts', './worker.js')

/** What the watcher's thread runs. */
export const watchModule = part('./watch/watch-worker.ts', './watch-worker.js')

/** What a project may import though its folder has no `node_modules`: this copy's own, of its own version. */
export const providedModules: Readonly<Record<string, URL>> = {
  '@millwright/plant': part('../../plant/src/index.ts', './plant.js'),
  '@millwright/core': part('../../core/src/index.ts', './core.js'),
}

/** The folder `packages`, where an editor finds types. */
export const packagesFolder = fileURLToPath(new URL('../..', import.meta.url))

/** As in package.json, for example `0.1.0`. */
export const release: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version
