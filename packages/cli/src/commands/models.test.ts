/** Method: the commands as a user runs them, in processes of their own, beside a plant that runs and without one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelUpdate } from '@millwright/core'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { splitModelFile } from '../models/split-model-testing.ts'
import { millwright, pressLines, pressPackage, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-models-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(join(folder, 'project'))
const packageFile = (version: string): string => {
  const path = join(folder, `${version}.mwmodel`)
  writeFileSync(path, pressPackage(version))
  return path
}
const damaged = join(folder, 'damaged.mwmodel')
const sound = pressPackage('damaged')
writeFileSync(damaged, sound.with(50, (sound[50] as number) ^ 1))

test('models pack makes of an XGBoost file what inspect shows and verify takes', async () => {
  const out = join(folder, 'features')
  const input = writeLines(join(folder, 'readings.ndjson'), pressLines(0, 20))
  expect((await millwright('replay', project, '--input', input, '--out', out)).code).toBe(0)
  const model = join(folder, 'model.json')
  writeFileSync(model, splitModelFile({ splitFeature: 1, splitAt: 2, below: -3, atOrAbove: 3 }, 2))
  const metrics = join(folder, 'metrics.json')
  writeFileSync(metrics, '{"test":{"f1":0.75,"auc":null}}')
  const packed = join(folder, 'packed.mwmodel')
  const made = await millwright(
    ...['models', 'pack', project, '--model', model, '--features', join(out, 'device-features.ndjson')],
    ...['--as', '2026-11', '--out', packed, '--metrics', `${metrics}#test`, '--threshold', '0.6'],
  )
  expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('press 2026-11') })
  const inspected = await millwright('models', 'inspect', packed)
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    name: 'press',
    version: '2026-11',
    threshold: 0.6,
    metrics: { f1: 0.75, auc: null },
    features: [{ name: 'tempStd' }, { name: 'vibration' }],
    byteLength: readFileSync(packed).length,
    signedBy: null,
  })
  expect((await millwright('models', 'verify', packed, '--project', project)).code).toBe(0)
})

test('models verify refuses a package that was damaged, and one that is for another plant', async () => {
  expect(await millwright('models', 'verify', damaged)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('digest-differs'),
  })
  const other = join(folder, 'other')
  const config = readFileSync(join(writeProject(other), 'millwright.config.ts'), 'utf8')
  writeFileSync(join(other, 'millwright.config.ts'), config.replace("model: 'press'", "model: 'pump'"))
  expect(await millwright('models', 'verify', packageFile('sound'), '--project', other)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('name-differs'),
  })
})

test('models publish and rollback change a plant that runs, which a refused package does not', async () => {
  const data = join(folder, 'running')
  const plant = await startPlant(project, '--data', data)
  const inForce = async (): Promise<string[]> => {
    const { models } = (await (await fetch(`${plant.url}/api/models`)).json()) as { models: ModelUpdate[] }
    return models.map(({ version }) => version)
  }
  const change = (...args: readonly string[]) => millwright('models', ...args, '--data', data, '--json')
  expect(JSON.parse((await change('publish', project, packageFile('1'))).stdout)).toMatchObject({ version: '1' })
  const from = '2026-11-23T06:00:00Z'
  const second = await change('publish', project, packageFile('2'), '--active-from', from)
  expect(JSON.parse(second.stdout)).toMatchObject({ version: '2', activeFrom: Date.parse(from) })
  const refused = await change('publish', project, damaged)
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('digest-differs') })
  expect(await inForce()).toEqual(['2', '1'])
  expect(JSON.parse((await change('rollback', project)).stdout)).toMatchObject({ version: '1' })
  expect(await inForce()).toEqual(['1', '2', '1'])
  expect((await plant.stop()).code).toBe(0)
})

test('models publish and rollback end when the model is in force, so that what comes next finds it; with a moment named they do not wait', async () => {
  const data = join(folder, 'awaited')
  const change = async (...args: readonly string[]): Promise<number> => {
    const { stdout } = await millwright('models', ...args, '--data', data, '--json')
    const { activeFrom } = JSON.parse(stdout) as ModelUpdate
    return Date.now() - activeFrom
  }
  expect(await change('publish', project, packageFile('1'))).toBeGreaterThan(0)
  expect(await change('publish', project, packageFile('2'))).toBeGreaterThan(0)
  expect(await change('rollback', project)).toBeGreaterThan(0)
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
  expect(await change('publish', project, packageFile('3'), '--active-from', tomorrow)).toBeLessThan(0)
})

test('models publish and rollback change a plant that is stopped', async () => {
  const data = join(folder, 'stopped')
  const nothing = await millwright('models', 'rollback', project, '--data', data)
  expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('an earlier model') })
  for (const version of ['1', '2']) {
    const published = await millwright('models', 'publish', project, packageFile(version), '--data', data)
    expect(published).toMatchObject({ code: 0, stderr: expect.stringContaining('(the plant does not run)') })
  }
  const back = await millwright('models', 'rollback', project, '--data', data, '--json')
  expect(JSON.parse(back.stdout)).toMatchObject({ version: '1' })
})

test('models list names what is in force, what the plan refuses and why, beside a plant that runs and without one', async () => {
  const data = join(folder, 'listed')
  const changing = writeProject(join(folder, 'changing'))
  const configFile = join(changing, 'millwright.config.ts')
  const list = () => millwright('models', 'list', changing, '--data', data)
  const from = ['--active-from', '2026-01-01T00:00:00Z']
  expect((await millwright('models', 'publish', changing, packageFile('bars'), '--data', data, ...from)).code).toBe(0)
  const plant = await startPlant(changing, '--data', data)
  writeFileSync(configFile, readFileSync(configFile, 'utf8').replaceAll('mm/s', 'm/s'))
  expect(await list()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^in-force {4}press bars/), stderr: '' })
  expect((await plant.stop()).code).toBe(0)
  const listed = await list()
  expect(listed.stdout).toMatch(/^refused {5}press bars /)
  expect(listed.stdout).toContain('feature-units-differ')
  expect(listed.stdout).toContain('"mm/s" in the package, in "m/s" in the plan')
  expect(listed.stderr).toContain('No model of press is in force')
})

test('models publish refuses a moment without a zone, and a file that is not there', async () => {
  const data = join(folder, 'refused')
  const vague = await millwright(
    ...['models', 'publish', project, packageFile('1'), '--data', data, '--active-from', '2026-11-23 06:00'],
  )
  expect(vague).toMatchObject({ code: 2, stderr: expect.stringContaining('--active-from: found 2026-11-23 06:00') })
  const absent = await millwright('models', 'publish', project, join(folder, 'absent.mwmodel'), '--data', data)
  expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('absent.mwmodel') })
})
