import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { definePlant, mean, tumbling } from '@millwright/plant'
import { afterEach, expect, test } from 'vitest'
import { splitModelPackage } from '../models/split-model-testing.ts'
import { newestFits, projectModelFile, publishFirstModel } from './first-model.ts'
import { openPlant } from './open-plant.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function project(unit: string, folder: string) {
  const configPath = join(folder, 'millwright.config.ts')
  writeFileSync(
    configPath,
    `import { definePlant, mean, tumbling } from '@millwright/plant'
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

  async function run(
    unit: string,
    startMs: number,
  ): Promise<{ first: string | null; fits: boolean; unscored: number }> {
    const opened = project(unit, folder)
    const { engine, door } = await openPlant({ project: opened, dataDirectory, workerCount: 1 })
    try {
      const before = engine.stats().counters['windows_unscored_total'] ?? 0
      const first = await publishFirstModel(engine, opened, dataDirectory)
      await engine.append('sensor-data', door.readings(readings(startMs)).parts)
      await engine.drained()
      const unscored = (engine.stats().counters['windows_unscored_total'] ?? 0) - before
      return { first: first?.version ?? null, fits: newestFits(engine, opened.plan, dataDirectory), unscored }
    } finally {
      await engine.close()
    }
  }

  writeFileSync(packagePath, packageFor('bar'))
  expect(await run('bar', 1_766_000_000_000)).toEqual({ first: 'in-bar', fits: true, unscored: 0 })
  expect(await run('bar', 1_766_000_100_000)).toEqual({ first: null, fits: true, unscored: 0 })
  rmSync(packagePath)
  const changed = await run('kPa', 1_766_000_200_000)
  expect(changed).toMatchObject({ first: null, fits: false })
  expect(changed.unscored).toBeGreaterThan(0)
  writeFileSync(packagePath, packageFor('kPa'))
  expect(await run('kPa', 1_766_000_300_000)).toMatchObject({ first: 'in-kPa', fits: true, unscored: 0 })
})
