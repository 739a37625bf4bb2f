/** Method: each project is loaded in a process of its own, as the command does, from a folder outside of the repository. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'millwright-project-'))
afterAll(() => rmSync(root, { recursive: true }))

const loader = pathToFileURL(join(import.meta.dirname, 'load-project.ts')).href

const good = `
import { definePlant, mean, tumbling, type PlantSettings } from '@millwright/plant'
import { math } from '@millwright/core'
const settings: PlantSettings<'temperature'> = {
  name: 'pumps',
  channels: { temperature: { unit: '°C' } },
  window: tumbling('5 min'),
  features: { tempMean: mean('temperature') },
}
if (typeof math.exp !== 'function') throw new Error('core is not the real one')
export default definePlant(settings)
`

let projectCount = 0
function projectOf(config: string | null): string {
  const folder = join(root, `project-${projectCount++}`)
  mkdirSync(folder)
  if (config !== null) writeFileSync(join(folder, 'millwright.config.ts'), config)
  return folder
}

interface Outcome {
  readonly plan?: string
  readonly directory?: string
  readonly configPath?: string
  readonly code?: string
  readonly message?: string
}

/** What `loadProject(path)` answers or throws, in a new process whose folder is `cwd`. */
function load(path: string, cwd = root, inWorker = false): Promise<Outcome> {
  const program = `
    import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
    const [path, thread] = isMainThread ? process.argv.slice(1) : workerData
    if (isMainThread && thread === 'worker') {
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.env.PROGRAM)), { workerData: [path, 'worker'] })
      worker.on('message', (outcome) => console.log(outcome))
    } else {
      const { loadProject } = await import(${JSON.stringify(loader)})
      const outcome = await loadProject(path).then(
        ({ plan, directory, configPath }) => ({ plan: plan.name, directory, configPath }),
        ({ code, message }) => ({ code, message }),
      )
      if (isMainThread) console.log(JSON.stringify(outcome))
      else parentPort.postMessage(JSON.stringify(outcome))
    }`
  const thread = inWorker ? 'worker' : 'main'
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--input-type=module', '-e', program, path, thread],
      { cwd, env: { ...process.env, PROGRAM: program, NODE_OPTIONS: '' } },
      (error, stdout, stderr) => (error === null ? resolve(JSON.parse(stdout)) : reject(new Error(stderr))),
    )
  })
}

describe('loadProject()', () => {
  test('loads a folder or its file, from anywhere, with the plant that this command brings', async () => {
    const directory = projectOf(good)
    const configPath = join(directory, 'millwright.config.ts')
    const loaded = { plan: 'pumps', directory, configPath }
    expect(await load(directory)).toEqual(loaded)
    expect(await load(configPath)).toEqual(loaded)
    expect(await load('.', directory)).toEqual(loaded)
  })

  test('loads it in a worker thread too', async () => {
    expect(await load(projectOf(good), root, true)).toMatchObject({ plan: 'pumps' })
  })

  test('lets a project import its own files', async () => {
    const directory = projectOf(`import { name } from './name.ts'\n${good.replace("'pumps'", 'name')}`)
    writeFileSync(join(directory, 'name.ts'), "export const name: string = 'presses'\n")
    expect(await load(directory)).toMatchObject({ plan: 'presses' })
  })

  test('says what is missing', async () => {
    const empty = projectOf(null)
    for (const [path, found] of [
      [empty, `${empty} without a millwright.config.ts`],
      [join(root, 'nowhere'), 'which does not exist'],
      [join(empty, 'millwright.config.ts'), 'which does not exist'],
    ] as const)
      expect(await load(path)).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(found) })
  })

  test.each([
    ['', 'found an object'],
    ['export const plant = 1', 'found nothing'],
    ['export default 7', 'found a number'],
    ['export default null', 'found null'],
    ["export default { kind: 'plant' }", 'found an object that definePlant did not make'],
  ])('refuses %j, which declares no plant', async (config, found) => {
    const { code, message } = await load(projectOf(config))
    expect(code).toBe('CONFIGURATION')
    expect(message).toContain(found)
    expect(message).toContain('export default definePlant')
  })

  test.each([
    ['syntax that is wrong', 'export default definePlant({\n  name: ,\n})', 'SyntaxError'],
    ['TypeScript that Node cannot run', 'enum Kind { A }\nexport default Kind.A', 'enum'],
    ['an error when it runs', "\nthrow new Error('no luck')\nexport default 1", 'no luck'],
    ['an import that leads nowhere', "import './missing.ts'\nexport default 1", 'missing.ts'],
    ['a package that is not there', "import 'left-pad'\nexport default 1", 'left-pad'],
  ])('says where and what when it cannot be loaded: %s', async (_what, config, found) => {
    const directory = projectOf(config)
    const { code, message } = await load(directory)
    expect(code).toBe('CONFIGURATION')
    expect(message).toContain(join(directory, 'millwright.config.ts'))
    expect(message).toContain(found)
  })

  test('names the line of an error in the configuration', async () => {
    expect((await load(projectOf("\n\nthrow new Error('no luck')"))).message).toContain('(line 3)')
    expect((await load(projectOf('export default definePlant({\n  name: ,\n})'))).message).toContain('(line 2)')
  })

  test('lets what definePlant finds speak for itself', async () => {
    const { code, message } = await load(projectOf(good.replace("'pumps'", "'Pumps!'")))
    expect(code).toBe('CONFIGURATION')
    expect(message).toContain('name: found "Pumps!"')
  })
})
