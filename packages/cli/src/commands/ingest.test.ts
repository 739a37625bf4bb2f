/** Method: the command as a user runs it, in a process of its own, beside a plant that runs and without one. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { millwright, pressLines, pressPackage, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-ingest-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(join(folder, 'project'))
writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))

async function ingest(data: string, ...files: readonly string[]) {
  const { code, stdout, stderr } = await millwright('ingest', project, '--data', data, '--input', ...files, '--json')
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as {
    accepted: number
    refused: number
    resumed: { file: string; fromPosition: number }[]
    plant: { readingsIn: number; readingsAccepted: number; redelivered: number; windows: number; alertsHigh: number }
  }
}

test('ingest reads each line once: called again, with a file that grew, and with another beside it', async () => {
  const data = join(folder, 'stopped')
  const file = writeLines(join(folder, 'one.ndjson'), pressLines(0, 3))
  const size = readFileSync(file).length
  expect(await ingest(data, file)).toMatchObject({
    accepted: 36,
    refused: 0,
    resumed: [],
    plant: { readingsIn: 36, redelivered: 0, windows: 4, alertsHigh: 1 },
  })
  expect(await ingest(data, file)).toMatchObject({
    accepted: 0,
    resumed: [{ file, fromPosition: size }],
    plant: { readingsIn: 36, redelivered: 0 },
  })
  appendFileSync(file, `${pressLines(3, 5).join('\n')}\n`)
  const other = join(folder, 'two.ndjson.gz')
  writeFileSync(other, gzipSync(`${pressLines(5, 6).join('\n')}\nnot a reading\n`))
  expect(await ingest(data, file, other)).toMatchObject({
    accepted: 36,
    refused: 1,
    resumed: [{ file, fromPosition: size }],
    // A window of each machine is still open: ingesting does not end the input.
    plant: { readingsIn: 73, readingsAccepted: 72, redelivered: 0, windows: 10, alertsHigh: 2 },
  })
})

test('ingest goes through a plant that runs, which goes on from there afterwards', async () => {
  const data = join(folder, 'running')
  const plant = await startPlant(project, '--data', data)
  const file = writeLines(join(folder, 'three.ndjson'), pressLines(0, 3))
  expect(await ingest(data, file)).toMatchObject({ accepted: 36, plant: { readingsIn: 36, windows: 4 } })
  expect(await ingest(data, file)).toMatchObject({ accepted: 0, plant: { readingsIn: 36 } })
  const absent = await millwright('ingest', project, '--data', data, '--input', join(folder, 'absent.ndjson'))
  expect([absent.code, absent.stdout]).toEqual([2, ''])
  expect(absent.stderr).toContain('which does not exist')
  expect((await plant.stop()).code).toBe(0)
  expect(await ingest(data, file)).toMatchObject({ accepted: 0, plant: { readingsIn: 36 } })
})

test('ingest says how many readings are in, for a person', async () => {
  const file = writeLines(join(folder, 'four.ndjson'), pressLines(0, 2))
  const { code, stdout, stderr } = await millwright('ingest', project, '--data', join(folder, 'told'), '--input', file)
  expect(code).toBe(0)
  expect(stderr).toMatch(/24 readings and 0 refused lines are in .*told, in .* The plant so far:/)
  expect(stdout).toMatch(/readings in +24\n/)
})
