/** Method: a plant as a user runs it, with a line of three machines of which one is at risk and one was never heard of. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseMessage } from '@millwright/core'
import type { CaseList } from '@millwright/gateways'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { millwright, pressLines, pressPackage, pressStartMs, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-events-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(
  join(folder, 'project'),
  `partitions: 2,
  alert: { threshold: 0.8, stops: { begin: 'line-stop', end: 'line-start' } },
  lines: { 'line-1': ['press-1', 'press-2', 'press-9'] },`,
)
writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))
const waiting = { timeout: 120_000, interval: 200 }
const stoppedAtMs = pressStartMs + 150_000
const at = ['--at', new Date(stoppedAtMs).toISOString()]

interface EventRecord {
  readonly deviceId: string
  readonly timestamp: number
  readonly type: string
}

async function exported<T>(topic: string, data: string): Promise<T[]> {
  const { stdout } = await millwright('topics', 'export', topic, '--data', data)
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
}

test('a line that stops ends the alerts of its machines, told in a running plant, over HTTP, and in a stopped one', async () => {
  const data = join(folder, 'data')
  const input = writeLines(join(folder, 'readings.ndjson'), pressLines(0, 3))
  const plant = await startPlant(project, '--data', data, '--input', input)
  const openCases = async (): Promise<CaseList> => {
    const { stdout } = await millwright('cases', 'list', '--gateway', plant.url, '--json')
    return JSON.parse(stdout === '' ? '{"cases":[]}' : stdout) as CaseList
  }
  await expect.poll(async () => (await openCases()).cases.map(({ alerting }) => alerting), waiting).toEqual([true])

  const stopped = await millwright('events', 'send', 'line-stop', project, '--line', 'line-1', ...at, '--data', data)
  expect([stopped.code, stopped.stdout]).toEqual([0, 'line-1: line-stop at 2026-01-05T00:02:30.000Z on 3 machines.\n'])
  await expect.poll(async () => (await openCases()).cases.map(({ alerting }) => alerting), waiting).toEqual([false])
  // Who got no answer gives it again: the operators know the copies.
  const again = ['events', 'send', 'line-stop', '--line', 'line-1', ...at, '--gateway', plant.url, '--json']
  expect(JSON.parse((await millwright(...again)).stdout)).toEqual({
    ...{ line: 'line-1', type: 'line-stop', timestamp: stoppedAtMs, devices: 3, used: true },
  })
  await expect
    .poll(async () => await (await fetch(`${plant.url}/metrics`)).text(), waiting)
    .toMatch(/^millwright_device_events_redelivered_total 3$/m)
  const one = ['events', 'send', 'oil-changed', '--device', 'press-1', 'press-1', ...at, '--gateway', plant.url]
  expect((await millwright(...one)).stdout).toBe('oil-changed at 2026-01-05T00:02:30.000Z on 1 machine.\n')
  const unknown = await millwright('events', 'send', 'line-stop', '--line', 'line-2', '--gateway', plant.url)
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('the project declares line-1')])
  // What one machine of several is refused, none is told.
  const ahead = ['--device', 'press-1', '--at', new Date(Date.now() + 86_400_000).toISOString()]
  for (const [flags, said] of [
    [ahead, 'timestamp: found'],
    [['--device', 'press-1', ''], 'deviceId'],
  ] as const) {
    const refused = await millwright('events', 'send', 'never-told', ...flags, '--gateway', plant.url)
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([1, '', expect.stringContaining(said)])
  }
  const idle = await millwright('events', 'send', 'oil-chnged', '--device', 'press-1', ...at, '--gateway', plant.url)
  expect([idle.code, idle.stderr]).toEqual([0, expect.stringContaining('they change nothing')])
  await plant.stop()

  const misspelt = await millwright('events', 'send', 'line-stopp', project, '--line', 'line-1', '--data', data)
  expect([misspelt.code, misspelt.stderr]).toEqual([0, expect.stringContaining('they change nothing')])
  const events = await exported<EventRecord>('device-events', data)
  const countOf = (type: string): number => events.filter((event) => event.type === type).length
  expect(['line-stop', 'oil-changed', 'line-stopp', 'never-told'].map(countOf)).toEqual([6, 1, 3, 0])
  const changes = (await exported<CaseMessage>('cases', data)).map(({ change, cause }) => [change, cause])
  expect(changes).toEqual([
    ['opened', null],
    ['cleared', 'stopped'],
  ])
}, 300_000)

test('a command that names nobody, or both, or no time, is refused before anything is opened', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /--line, --device.*neither/],
    [['--line', 'line-1', '--device', 'press-1'], /--line, --device.*both/],
    [['--line', 'line-1', '--at', '2026-01-05 14:30'], /--at.*with a zone/],
    [['--line', 'line-1', '--detail', 'new bearing'], /--detail.*JSON/],
    [['--line', 'line-1', '--gateway', 'http://127.0.0.1:1', '--data', 'x'], /--data.*beside --gateway/],
  ]
  for (const [flags, said] of wrong) {
    const { code, stderr } = await millwright('events', 'send', 'line-stop', project, ...flags)
    expect(code).toBe(2)
    expect(stderr).toMatch(said)
  }
}, 60_000)
