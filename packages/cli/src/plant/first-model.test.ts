import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PlantStatus } from '@millwright/gateways'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { afterEach, expect, test } from 'vitest'
import { splitModelPackage } from '../models/split-model-testing.ts'
import { hasFittingModel, projectModelFile, publishFirstModel } from './first-model.ts'
import { listModels } from './model-desk.ts'
import { openPlant } from './open-plant.ts'
import { PlantObserver } from './plant-status.ts'
import { type Publications, publicationsOf, readPublications } from './published-models.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function project(unit: string, folder: string) {
  const configPath = join(folder, 'millwright.config.ts')
  writeFileSync(
    configPath,
    `import type { PlantStatus } from '@millwright/gateways'
import { definePlant, mean, tumbling } from '@millwright/plant'
     export default definePlant({ name: 'units', channels: { pressure: { unit: '${unit}' } }, window: tumbling('5 s'),
       features: { pressure: mean('pressure') }, model: 'units', partitions: 1 })`,
  )
  const plan = definePlant({
    name: 'units',
    channels: { pressure: { unit } },
    window: tumbling('5 s'),
    features: { pressure: mean('pressure') },
    model: 'units',
    partitions: 1,
  })
  return { plan, directory: folder, configPath }
}

function packageFor(unit: string): Uint8Array {
  const features = [{ name: 'pressure', unit }]
  return splitModelPackage({
    name: 'units',
    version: `in-${unit}`,
    features,
    rows: [[1], [9]],
    splitFeature: 0,
    splitAt: 5,
    below: -4,
    atOrAbove: 4,
  })
}

/** Readings that close three windows from `startMs` on. */
function readings(startMs: number): Uint8Array {
  const lines = [0, 5, 10, 20].map((s) => `{"deviceId":"a","timestamp":${startMs + s * 1000},"pressure":9}\n`)
  return Buffer.from(lines.join(''))
}

test('publishFirstModel() puts in force what fits; a plan that changed under a model starts, and scores again with a new one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-first-model-'))
  folders.push(folder)
  const dataDirectory = join(folder, 'data')
  const packagePath = join(folder, projectModelFile)

  interface Ran {
    readonly first: string | null
    readonly fits: boolean
    readonly unscored: number
    /** As `models list` shows them while the plant is open, newest first. */
    readonly listed: readonly string[]
    readonly status: Pick<PlantStatus, 'model' | 'refusedModel'>
  }

  async function run(unit: string, startMs: number): Promise<Ran> {
    const opened = project(unit, folder)
    const { engine, door, judge } = await openPlant({ project: opened, dataDirectory, workerCount: 1 })
    let ran: Ran
    const states = (publications: Publications): string[] =>
      listModels(publications, judge, Date.now()).map(
        ({ version, state, refusal }) => `${version} ${state}${refusal === undefined ? '' : ` ${refusal.reason}`}`,
      )
    try {
      const before = engine.stats().counters['windows_unscored_total'] ?? 0
      const first = await publishFirstModel(engine, opened, judge)
      await engine.append('sensor-data', door.readings(readings(startMs)).parts)
      await engine.drained()
      const unscored = (engine.stats().counters['windows_unscored_total'] ?? 0) - before
      const { model, refusedModel } = new PlantObserver(opened.plan, engine, judge).status()
      const listed = states(publicationsOf(engine))
      const fits = hasFittingModel(engine, judge)
      ran = { first: first?.version ?? null, fits, unscored, listed, status: { model, refusedModel } }
    } finally {
      await engine.close()
    }
    // The same is read from the folder of a plant that is stopped.
    expect(states(readPublications(dataDirectory))).toEqual(ran.listed)
    return ran
  }

  writeFileSync(packagePath, packageFor('bar'))
  const inBar = { name: 'units', version: 'in-bar', activeFrom: expect.any(Number) }
  const first = { fits: true, unscored: 0, listed: ['in-bar in-force'], status: { model: inBar, refusedModel: null } }
  expect(await run('bar', 1_766_000_000_000)).toEqual({ first: 'in-bar', ...first })
  expect(await run('bar', 1_766_000_100_000)).toEqual({ first: null, ...first })
  rmSync(packagePath)
  const changed = await run('kPa', 1_766_000_200_000)
  const refusal = { reason: 'feature-units-differ', message: expect.stringContaining('"kPa" in the plan') }
  expect(changed).toMatchObject({
    first: null,
    fits: false,
    listed: ['in-bar refused feature-units-differ'],
    status: { model: null, refusedModel: { name: 'units', version: 'in-bar', refusal } },
  })
  expect(changed.unscored).toBeGreaterThan(0)
  writeFileSync(packagePath, packageFor('kPa'))
  expect(await run('kPa', 1_766_000_300_000)).toMatchObject({
    first: 'in-kPa',
    fits: true,
    unscored: 0,
    listed: ['in-kPa in-force', 'in-bar refused feature-units-differ'],
    status: { model: { version: 'in-kPa' }, refusedModel: null },
  })
})
