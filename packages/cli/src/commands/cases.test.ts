/** Method: a plant as a user runs it, with alerts; what people do by HTTP; killed at any moment; its topic against a fold of the exported topics. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseMessage, CaseView, MaintenanceFeedback } from '@millwright/core'
import type { CaseChannels, CaseDetail, CaseList } from '@millwright/gateways'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { TopicsWatch } from '../watch/topics-watch.ts'
import { millwright, pressLines, pressPackage, pressStartMs, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-cases-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(join(folder, 'project'), 'partitions: 2,')
writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))
const waiting = { timeout: 60_000, interval: 100 }

async function exported<T>(topic: string, data: string): Promise<T[]> {
  const { stdout } = await millwright('topics', 'export', topic, '--data', data)
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
}

const of = (data: string): string[] => ['--project', project, '--data', data]

async function list(url: string, query = ''): Promise<CaseList> {
  const found = (await (await fetch(`${url}/api/cases${query}`)).json()) as CaseList
  // `null` until the watcher has told.
  return { ...found, counts: found.counts ?? { open: 0, acknowledged: 0, resolved: 0 } }
}

/** Gives a command until something has become of it: on a slow machine that takes longer than an answer waits, and it is the same command. */
async function command(
  url: string,
  caseId: string,
  fields: object,
): Promise<{ status: number; body: { code?: string; case?: CaseView } }> {
  const body = JSON.stringify({ id: randomUUID(), ...fields })
  for (;;) {
    const response = await fetch(`${url}/api/cases/${encodeURIComponent(caseId)}/commands`, { method: 'POST', body })
    const answer = (await response.json()) as { code?: string; case?: CaseView }
    if (response.status !== 202) return { status: response.status, body: answer }
  }
}

/** What a fold of the folder's topics from their beginning says. */
async function folded(data: string): Promise<CaseMessage[]> {
  const plant = { channels: [], partitionCount: 2, marked: false }
  const watch = TopicsWatch.ofFolder(plant, data, {
    useState: false,
    keepsCases: true,
    lookUpCut: () => Number.POSITIVE_INFINITY,
  })
  try {
    await watch.look()
    await watch.step(1e9)
    return watch.takeCases().map(({ message }) => message)
  } finally {
    await watch.close()
  }
}

test('a case is opened, worked on, resolved and taken back; after kill -9 nothing of it is lost or double', async () => {
  const data = join(folder, 'data')
  const input = writeLines(join(folder, 'readings.ndjson'), pressLines(0, 3))
  let plant = await startPlant(project, '--data', data, '--input', input)
  await expect.poll(async () => (await list(plant.url)).total, waiting).toBe(1)
  const caseId = `press-2@${pressStartMs + 2 * 60_000}`
  const [opened] = (await list(plant.url, '?status=open')).cases
  expect(opened).toMatchObject({ caseId, deviceId: 'press-2', status: 'open', sequence: 0, severity: 'warning' })
  expect(opened?.evidence).toEqual([{ windowEnd: pressStartMs + 2 * 60_000, probability: opened?.probability }])

  const taken = await command(plant.url, caseId, { command: 'acknowledge', by: 'Jo', seen: 0 })
  expect(taken).toMatchObject({ status: 200, body: { case: { status: 'acknowledged', sequence: 1 } } })
  expect(await command(plant.url, caseId, { command: 'acknowledge' })).toMatchObject({
    status: 409,
    body: { code: 'already-acknowledged' },
  })
  expect(await command(plant.url, caseId, { command: 'dance' })).toMatchObject({
    status: 400,
    body: { code: 'command-unknown' },
  })
  expect(await command(plant.url, 'press-9@1', { command: 'acknowledge' })).toMatchObject({
    status: 404,
    body: { code: 'unknown-case' },
  })

  // Killed with a command acknowledged that nobody has folded.
  const resolve = { command: 'resolve', verdict: 'failure-confirmed', found: 'bearing', by: 'Jo', id: 'r-1' }
  const resolved = await command(plant.url, caseId, resolve)
  expect(resolved).toMatchObject({ status: 200, body: { case: { status: 'resolved' } } })
  plant.process.kill('SIGKILL')
  await plant.ended

  plant = await startPlant(project, '--data', data)
  await expect.poll(async () => (await list(plant.url)).counts.resolved, waiting).toBe(1)
  expect(await command(plant.url, caseId, resolve)).toMatchObject({
    status: 200,
    body: { case: { status: 'resolved' } },
  })
  expect(await command(plant.url, caseId, { command: 'reopen', comment: 'not sure' })).toMatchObject({
    status: 200,
    body: { case: { status: 'open' } },
  })
  expect(await command(plant.url, caseId, { command: 'resolve', verdict: 'false-alarm' })).toMatchObject({
    status: 200,
  })

  const detail = (await (await fetch(`${plant.url}/api/cases/${encodeURIComponent(caseId)}`)).json()) as CaseDetail
  expect(detail.history.map(({ change }) => change)).toEqual([
    'opened',
    'acknowledged',
    'resolved',
    'reopened',
    'resolved',
  ])
  expect(detail.windows.map(({ high }) => high)).toEqual([false, true])
  const around = await fetch(`${plant.url}/api/cases/${encodeURIComponent(caseId)}/channels`)
  const { channels } = (await around.json()) as CaseChannels
  expect(channels.find(({ name }) => name === 'vibration')?.slices.length).toBeGreaterThan(3)
  expect((await fetch(`${plant.url}/api/cases?status=lost`)).status).toBe(400)
  await expect
    .poll(async () => await (await fetch(`${plant.url}/metrics`)).text(), waiting)
    .toMatch(/^millwright_cases_resolved_total\{verdict="false-alarm"\} 1$/m)
  const reopened = await millwright(
    'cases',
    'reopen',
    'press-2',
    '--by',
    'Kim',
    '--comment',
    'again',
    '--json',
    ...of(data),
  )
  expect(reopened.code, reopened.stderr).toBe(0)
  await expect.poll(async () => (await list(plant.url)).counts.open, waiting).toBe(1)
  const { stdout } = await millwright('cases', 'list', ...of(data))
  expect(stdout).toContain(`warning, open, alert stands  ${caseId}`)
  expect((await plant.stop()).code).toBe(0)

  const shown = await millwright('cases', 'show', 'press-2', ...of(data))
  expect(shown.stdout).toContain('resolved as failure-confirmed: bearing by Jo')
  expect(shown.stdout).toContain('reopened by Kim – again')
  expect((await millwright('cases', 'resolve', 'press-2', '--verdict', 'maybe', ...of(data))).code).toBe(2)
  // A year typed wrong: nothing of it reaches the topic.
  const verdict = ['--verdict', 'failure-confirmed', '--failed-at', '2199-01-04T10:00:00Z']
  const ahead = await millwright('cases', 'resolve', 'press-2', ...verdict, ...of(data))
  expect([ahead.code, ahead.stderr]).toEqual([2, expect.stringContaining('wanted a time that has been')])

  const messages = await exported<CaseMessage>('cases', data)
  expect(messages.map(({ sequence }) => sequence)).toEqual([0, 1, 2, 3, 4, 5])
  expect(await folded(data)).toEqual(messages)
  const feedback = await exported<MaintenanceFeedback>('maintenance-feedback', data)
  expect(feedback.map(({ id, revision, verdict }) => [id, revision, verdict])).toEqual([
    [caseId, 2, 'failure-confirmed'],
    [caseId, 3, 'withdrawn'],
    [caseId, 4, 'false-alarm'],
    [caseId, 5, 'withdrawn'],
  ])
}, 240_000)

test('killed again and again while cases come and go, the topic holds what one fold of the topics gives', async () => {
  const data = join(folder, 'killed')
  for (let round = 0; round < 3; round++) {
    const plant = await startPlant(project, '--data', data)
    const body = `${pressLines(round * 6, round * 6 + 6).join('\n')}\n`
    const headers = { 'content-type': 'application/x-ndjson' }
    expect((await fetch(`${plant.url}/api/readings`, { method: 'POST', headers, body })).status).toBe(202)
    // Killed before anything was folded, then when some of it was; the last round has a case to answer.
    if (round > 0) await expect.poll(async () => (await list(plant.url)).total, waiting).toBeGreaterThan(0)
    const [found] = (await list(plant.url, '?status=unresolved')).cases
    if (found !== undefined)
      void command(plant.url, found.caseId, { command: 'resolve', verdict: 'unclear' }).catch(() => undefined)
    if (round === 2) {
      await expect.poll(async () => (await list(plant.url)).counts.resolved, waiting).toBeGreaterThan(0)
      await plant.stop()
    } else {
      plant.process.kill('SIGKILL')
      await plant.ended
    }
  }
  // What came last, in a stop, is folded at the next start.
  const last = await startPlant(project, '--data', data)
  const wanted = await folded(data)
  await expect.poll(async () => (await exported('cases', data)).length, waiting).toBe(wanted.length)
  await last.stop()
  expect(await exported<CaseMessage>('cases', data)).toEqual(await folded(data))
  expect(wanted.length).toBeGreaterThan(6)
}, 240_000)
