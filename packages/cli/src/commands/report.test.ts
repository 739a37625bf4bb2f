/** Method: a plant as a user runs it, killed and started again; its report against the plain oracle over the exported topics. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AlertSignal, MaintenanceFeedback } from '@millwright/core'
import { defaultVerdictRules, type MachineReport, type WatchReport } from '@millwright/monitoring'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { naiveVerdicts } from '../../../monitoring/src/testing/naive-verdicts.ts'
import { millwright, pressPackage, pressStartMs, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-report-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(join(folder, 'project'))
writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))

/** Minutes in which `press-2` shakes. */
const shaking = [
  [20, 60],
  [320, 350],
  [1020, 1040],
  [1200, 1260],
] as const

/** Readings of two machines, one each ten seconds. */
function readings(fromMinute: number, toMinute: number): string[] {
  return Array.from({ length: 12 * (toMinute - fromMinute) }, (_, n) => {
    const tenth = 6 * fromMinute + (n >> 1)
    const shakes = n % 2 === 1 && shaking.some(([from, to]) => tenth >= 6 * from && tenth < 6 * to)
    return JSON.stringify({
      deviceId: `press-${1 + (n % 2)}`,
      timestamp: pressStartMs + 10_000 * tenth,
      temperature: 40 + (tenth % 7),
      vibration: shakes ? 3.5 : 1.25 + (tenth % 5) / 100,
    })
  })
}

const minute = (n: number): number => pressStartMs + n * 60_000
const verdict = (id: string, kind: string, deviceId: string, from: number, to: number, revision = 0) =>
  JSON.stringify({
    id,
    revision,
    deviceId,
    verdict: kind,
    from: minute(from),
    to: minute(to),
    recordedAt: minute(3000),
    model: { name: 'press', version: '1' },
  })

async function exported<T>(topic: string, data: string): Promise<T[]> {
  const { stdout } = await millwright('topics', 'export', topic, '--data', data)
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]))
}

async function reportOf(data: string, ...flags: string[]): Promise<WatchReport> {
  const { code, stdout, stderr } = await millwright('report', project, '--data', data, '--json', ...flags)
  expect(code, stderr).toBe(0)
  return JSON.parse(stdout) as WatchReport
}

async function post(url: string, lines: readonly string[]): Promise<void> {
  const headers = { 'content-type': 'application/x-ndjson' }
  const response = await fetch(url, { method: 'POST', headers, body: lines.join('\n') })
  expect(response.status).toBe(202)
}

/** Resolves when the watcher has taken every window so far and every verdict. */
async function watched(url: string, windows: number, verdicts: number): Promise<void> {
  const records = async (): Promise<unknown> => {
    const response = await fetch(`${url}/api/model`)
    return response.ok ? ((await response.json()) as WatchReport).records : null
  }
  await expect
    .poll(records, { timeout: 90_000, interval: 250 })
    .toMatchObject({ 'alert-signals': windows, 'maintenance-feedback': verdicts })
}

test('the report is that of a plain count over the exported topics, after kill -9 and over two restarts', async () => {
  const data = join(folder, 'data')
  const first = writeLines(join(folder, 'first.ndjson'), readings(0, 900))
  const plant = await startPlant(project, '--data', data, '--input', first)
  await post(`${plant.url}/api/feedback`, [
    verdict('a', 'failure-confirmed', 'press-2', 10, 200),
    verdict('b', 'false-alarm', 'press-2', 300, 400),
    verdict('c', 'missed-failure', 'press-1', 100, 130),
  ])
  // The state that the watcher has not saved dies with it.
  await watched(plant.url, 2 * 899, 3)
  plant.process.kill('SIGKILL')
  await plant.ended

  const again = await startPlant(project, '--data', data)
  await post(`${again.url}/api/readings`, readings(900, 1600))
  await post(`${again.url}/api/feedback`, [
    verdict('b', 'withdrawn', 'press-2', 300, 400, 1),
    verdict('d', 'false-alarm', 'press-2', 1000, 1100),
    verdict('d', 'false-alarm', 'press-2', 1000, 1100),
  ])
  await watched(again.url, 2 * 1599, 6)
  const metrics = await (await fetch(`${again.url}/metrics`)).text()
  expect(metrics).toMatch(/^millwright_false_alerts_total\{model="press",version="1"\} 2$/m)
  expect(metrics).toMatch(/^millwright_verdicts_total\{outcome="duplicate"\} 1$/m)
  expect(metrics).toMatch(/^millwright_watcher_up 1$/m)
  expect(metrics).toMatch(/^millwright_machines 2$/m)
  // Ten seconds after the windows that pass it, a day is judged.
  const drift = async (): Promise<string> => (await fetch(`${again.url}/metrics`)).text()
  await expect
    .poll(drift, { timeout: 60_000, interval: 500 })
    .toMatch(/^millwright_drift_psi\{model="press",version="1",feature="vibration"\} /m)
  expect((await again.stop()).code).toBe(0)

  const last = await startPlant(project, '--data', data)
  await post(`${last.url}/api/readings`, readings(1600, 1700))
  expect((await last.stop()).code).toBe(0)

  const report = await reportOf(data)
  expect(await reportOf(data, '--anew')).toEqual(report)
  const signals = await exported<AlertSignal>('alert-signals', data)
  const feedback = await exported<MaintenanceFeedback>('maintenance-feedback', data)
  expect([signals.length, feedback.length]).toEqual([2 * 1699, 6])
  const wanted = naiveVerdicts(signals, feedback, defaultVerdictRules)['1']
  expect(report.verdicts.windowsForgotten).toBe(0)
  const [model] = report.models
  expect({ windows: model?.windows, events: model?.events, ...model?.failures }).toEqual({
    windows: wanted?.windows,
    events: wanted?.events,
    caught: wanted?.caught,
    missed: wanted?.missed,
  })
  expect(model?.failures).toEqual({ caught: 1, missed: 1 })
  expect(model?.falseAlertsTotal).toBe(2)
  expect(model?.drift?.fleet?.columns.map(({ column }) => column).sort()).toEqual([
    'probability',
    'tempStd',
    'vibration',
  ])
  expect(report.quality.totals.windows).toBe(signals.length)

  const machine = JSON.parse(
    (await millwright('report', project, '--data', data, '--json', '--device', 'press-2')).stdout,
  ) as MachineReport
  expect(machine.quality?.now.channels.map(({ channel }) => channel)).toEqual(
    report.quality.totals.channels.map(({ channel }) => channel),
  )
  expect(machine.drift[0]).toMatchObject({ model: { name: 'press', version: '1' }, ownPeriodsWanted: 7 })
  expect(new Set(machine.verdicts.map(({ kind }) => kind))).toEqual(
    new Set(['failure-confirmed', 'withdrawn', 'false-alarm']),
  )
  const told = await millwright('report', project, '--data', data, '--device', 'press-2')
  expect(told.stdout).toContain('failure-confirmed')
  expect(told.stdout).toMatch(/vibration +\d+ missing, /)
  const unknown = await millwright('report', project, '--data', data, '--device', 'press-9')
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('press-9')])

  const text = await millwright('report', project, '--data', data)
  expect(text.stdout).toContain('Model press 1')
  expect(text.stdout).toMatch(/failures +1 caught, 1 missed: recall 50\.0 % \(/)
}, 240_000)

test('a plant that was told not to watch says so', async () => {
  const plant = await startPlant(project, '--data', join(folder, 'unwatched'), '--no-watch')
  expect((await fetch(`${plant.url}/api/model`)).status).toBe(503)
  expect(await (await fetch(`${plant.url}/metrics`)).text()).not.toContain('millwright_watcher')
  await plant.stop()
})
