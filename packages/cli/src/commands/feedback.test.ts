import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { millwright, pressStartMs, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-feedback-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const verdict = (id: string, kind = 'false-alarm'): string =>
  JSON.stringify({
    id,
    revision: 0,
    deviceId: 'press-2',
    verdict: kind,
    from: pressStartMs,
    to: pressStartMs + 60_000,
    recordedAt: pressStartMs + 120_000,
  })

test('verdicts come in by file and by HTTP, beside a running plant and without one, and are on their topic', async () => {
  const project = writeProject(join(folder, 'plant'))
  const data = join(folder, 'data')
  const first = writeLines(join(folder, 'first.ndjson'), [verdict('a'), verdict('b', 'perhaps')])
  const csv = writeLines(join(folder, 'second.csv'), [
    'id,deviceId,verdict,from,to,recordedAt,note',
    `c,press-1,missed-failure,${pressStartMs},${pressStartMs + 60_000},${pressStartMs + 90_000},"seized, nobody saw it"`,
  ])
  const stopped = await millwright('feedback', project, '--data', data, '--input', first)
  expect(stopped).toMatchObject({ code: 0, stdout: '1 verdicts taken, 1 refused and kept on dead-letters.\n' })
  expect(stopped.stderr).toContain(`${first}:2: feedback-verdict: verdict: found "perhaps"`)

  const plant = await startPlant(project, '--data', data)
  try {
    const running = await millwright('feedback', project, '--data', data, '--input', csv, '--json')
    expect(JSON.parse(running.stdout)).toMatchObject({ accepted: 1, refused: 0, refusals: [] })
    const response = await fetch(`${plant.url}/api/feedback`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `[${verdict('d', 'failure-confirmed')}, {"id":7}]`,
    })
    expect(response.status).toBe(202)
    expect(await response.json()).toMatchObject({ accepted: 1, rejected: [{ line: 2, reason: 'feedback-id' }] })
    // Acknowledged: a process that dies now has it.
    plant.process.kill('SIGKILL')
    await plant.ended
  } finally {
    plant.process.kill('SIGKILL')
  }
  const exported = await millwright('topics', 'export', 'maintenance-feedback', '--data', data)
  const records = exported.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; note?: string })
  expect(records.map(({ id, note }) => [id, note])).toEqual([
    ['a', undefined],
    ['c', 'seized, nobody saw it'],
    ['d', undefined],
  ])
  const letters = await millwright('topics', 'export', 'dead-letters', '--data', data)
  expect(
    letters.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { reason: string }).reason),
  ).toEqual(['feedback-verdict', 'feedback-id'])
}, 180_000)
