/**
 * Bundles the command line into `packages/cli/dist`: a start then opens a handful of files, not several hundred. `npm ci` runs it;
 * `packages/cli/bin/millwright.js` takes the bundle only while it is as new as the sources (docs/decisions/bundle.md).
 */
import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const cli = join(root, 'packages/cli')
const dist = join(cli, 'dist')
const rooms = join(root, 'packages')

rmSync(dist, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    main: join(cli, 'src/main.ts'),
    worker: join(cli, 'src/plant/worker.ts'),
    'watch-worker': join(cli, 'src/watch/watch-worker.ts'),
    plant: join(rooms, 'plant/src/index.ts'),
    core: join(rooms, 'core/src/index.ts'),
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.22',
  // Found in node_modules at run time: a program of its own, one that loads WebAssembly by its place, and the commands of the cluster,
  // which bundle sources themselves and are in no hurry.
  external: ['esbuild', '@platformatic/kafka', '@millwright/cluster'],
  // What comes from the registry as CommonJS asks for Node's modules by `require`.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
})
copyFileSync(join(rooms, 'gateways/src/http/status-page.html'), join(dist, 'status-page.html'))

const sources = [...Object.keys(metafile.inputs), 'packages/gateways/src/http/status-page.html']
  .filter((path) => path.startsWith('packages/'))
  .map((path) => {
    const { size, mtimeMs } = statSync(join(root, path))
    return [relative(join(cli, 'bin'), join(root, path)).replaceAll('\\', '/'), size, mtimeMs]
  })
writeFileSync(join(dist, 'sources.json'), JSON.stringify({ sources }))
process.stdout.write(`bundle: ${Object.keys(metafile.outputs).length} files of ${sources.length} sources\n`)
