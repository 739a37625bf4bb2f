/** Method: the plant as a user runs it, in a process of its own, on a free port. Loss and speed are proven elsewhere (scripts/proofs). */
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { millwright, pressLines, pressPackage, writeLines, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-run-'))
afterAll(() => rmSync(folder, { recursive: true }))
const project = writeProject(
  join(folder, 'project'),
  "sinks: [{ kind: 'console' }, { kind: 'file', path: 'alerts/high.ndjson' }],",
)
writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))

test('run reads files first, prints each high-risk alert with its reasons, and goes on where it stopped', async () => {
  const data = join(folder, 'first')
  const input = writeLines(join(folder, 'readings.ndjson'), pressLines(0, 5))
  const first = await (await startPlant(project, '--data', data, '--input', input)).stop()
  expect(first.code).toBe(0)
  expect(first.stderr).toContain('Model press 1 is in force.')
  expect(first.stderr).toMatch(/readings in +60\n/)
  expect(first.stderr).toContain('Stopped. Everything that was acknowledged is on disk.')
  const alerts = first.stdout.split('\n').filter((line) => line.startsWith('⚠'))
  expect(alerts).toHaveLength(2)
  expect(alerts[0]).toBe('⚠ 2026-01-05 00:01–00:02 press-2: 95.3 % risk of failure [press 1]')
  expect(first.stdout).toContain('↑ vibration = 3.5 mm/s')
  expect(readFileSync(join(data, 'alerts/high.ndjson'), 'utf8').split('\n')).toHaveLength(3)

  const again = await startPlant(project, '--data', data, '--input', input)
  const status = (await (await fetch(`${again.url}/api/status`)).json()) as { counts: { readingsIn: number } }
  expect(status.counts.readingsIn).toBe(60)
  const second = await again.stop()
  expect(second).toMatchObject({ code: 0, stdout: '' })
  expect(second.stderr).toContain(`${input} was read before`)
  expect(second.stderr).not.toContain('is in force')
})

test('run answers over HTTP: readings in, alerts and counts out', async () => {
  const plant = await startPlant(project, '--data', join(folder, 'http'))
  const answer = await fetch(`${plant.url}/api/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${[...pressLines(0, 3), 'not a reading'].join('\n')}\n`,
  })
  expect([answer.status, await answer.json()]).toMatchObject([
    202,
    { accepted: 36, rejected: [{ line: 37, reason: 'not-json' }] },
  ])
  expect((await fetch(`${plant.url}/readyz`)).status).toBe(200)
  const metrics = async (): Promise<string> => await (await fetch(`${plant.url}/metrics`)).text()
  await expect.poll(metrics).toMatch(/^millwright_windows_closed_total 4$/m)
  expect(await metrics()).toMatch(/^millwright_dead_letters_total\{reason="not-json"\} 1$/m)
  expect((await plant.stop()).stdout).toContain('press-2: 95.3 % risk of failure')
})

test('run refuses a data folder that another plant holds, and names that plant', async () => {
  const data = join(folder, 'held')
  const plant = await startPlant(project, '--data', data)
  const second = await millwright('run', project, '--port', '0', '--data', data)
  expect(second).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`process ${plant.process.pid}`) })
  expect((await fetch(`${plant.url}/healthz`)).status).toBe(200)
  expect((await plant.stop()).code).toBe(0)
})

test('run after a kill says that it goes on, and has everything that was acknowledged', async () => {
  const data = join(folder, 'killed')
  const input = writeLines(join(folder, 'killed.ndjson'), pressLines(0, 5))
  const plant = await startPlant(project, '--data', data, '--input', input)
  plant.process.kill('SIGKILL')
  await plant.ended
  const again = await startPlant(project, '--data', data, '--input', input)
  const status = (await (await fetch(`${again.url}/api/status`)).json()) as { counts: Record<string, number> }
  expect(status.counts).toMatchObject({ readingsIn: 60, redelivered: 0, windows: 8, alertsHigh: 2 })
  expect((await again.stop()).stderr).toContain('Going on:')
})

test('run stops with 1 and says why when a function of the project fails', async () => {
  const broken = writeProject(join(folder, 'broken'))
  const config = readFileSync(join(broken, 'millwright.config.ts'), 'utf8')
  writeFileSync(
    join(broken, 'millwright.config.ts'),
    config
      .replace('mean, std', 'custom, mean, std')
      .replace(
        "vibration: mean('vibration')",
        "vibration: custom(['vibration'], () => { throw new Error('no such formula') })",
      ),
  )
  const plant = await startPlant(broken, '--data', join(folder, 'broken-data'))
  await fetch(`${plant.url}/api/readings`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: `${pressLines(0, 3).join('\n')}\n`,
  })
  const { code, stderr } = await plant.ended
  expect(code).toBe(1)
  expect(stderr).toContain('no such formula')
})

test('run goes on when nobody reads what it prints', async () => {
  const plant = await startPlant(project, '--data', join(folder, 'unread'))
  plant.process.stdout?.destroy()
  plant.process.stderr?.destroy()
  for (const minute of [0, 4, 8]) {
    const body = `${pressLines(minute, minute + 4).join('\n')}\n`
    const headers = { 'content-type': 'application/x-ndjson' }
    expect((await fetch(`${plant.url}/api/readings`, { method: 'POST', headers, body })).status).toBe(202)
  }
  const metrics = async (): Promise<string> => await (await fetch(`${plant.url}/metrics`)).text()
  await expect.poll(metrics).toMatch(/^millwright_alerts_high_total [56]$/m)
  const exited = once(plant.process, 'exit')
  plant.process.kill('SIGTERM')
  expect((await exited)[0]).toBe(0)
})

const misuses: readonly [string, readonly string[], RegExp][] = [
  ['a port that is none', ['--port', '99999'], /--port: found 99999, wanted a whole number from 0 to 65535/],
  ['no worker', ['--workers', '0'], /--workers: found 0/],
  ['to be open to others without saying so', ['--port', '0', '--host', '0.0.0.0'], /host: found 0\.0\.0\.0/],
  [
    'a certificate without a key',
    ['--port', '0', '--tls-cert', join(project, 'millwright.config.ts')],
    /--tls-key: found nothing/,
  ],
  [
    'a certificate that is not there',
    ['--port', '0', '--tls-cert', 'absent.pem', '--tls-key', 'absent.pem'],
    /--tls-cert: found ENOENT/,
  ],
  [
    'an address of another machine',
    ['--port', '0', '--host', '192.0.2.7', '--insecure'],
    /host: found 192\.0\.2\.7 \(EADDRNOTAVAIL\), wanted an address or name of this machine/,
  ],
  ['an input that is not there', ['--port', '0', '--input', 'absent.ndjson'], /input: found absent\.ndjson/],
]

test.each(misuses)('run refuses %s', async (_, flags, message) => {
  const { code, stderr } = await millwright('run', project, '--data', join(folder, 'refused'), ...flags)
  expect(code).toBe(2)
  expect(stderr).toMatch(message)
  expect(stderr).not.toMatch(/\n {4}at /)
  // Found before anything was opened or made.
  expect(existsSync(join(folder, 'refused'))).toBe(false)
})

test('run refuses a port that is in use before it opens anything; of a plant that runs already it says that', async () => {
  const data = join(folder, 'taken')
  const plant = await startPlant(project, '--data', data)
  const { port } = new URL(plant.url)
  const elsewhere = join(folder, 'elsewhere')
  expect(await millwright('run', project, '--data', elsewhere, '--port', port)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(`port: found ${port}, which another program uses, wanted a port that is free`),
  })
  expect(existsSync(elsewhere)).toBe(false)
  expect(await millwright('run', project, '--data', data, '--port', port)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('as one process may at a time'),
  })
  expect((await plant.stop()).code).toBe(0)
})

test('run --log-format json writes a line of JSON per message, with permanent codes; another format is refused', async () => {
  const plant = await startPlant(project, '--data', join(folder, 'json'), '--log-format', 'json')
  const isTold = new Promise<void>((resolve) =>
    plant.process.stderr?.on('data', (text) => String(text).includes('press 2 is in force') && resolve()),
  )
  const headers = { 'content-type': 'application/octet-stream' }
  const published = await fetch(`${plant.url}/api/models`, {
    method: 'POST',
    headers,
    body: Buffer.from(pressPackage('2')),
  })
  expect(published.status).toBe(201)
  await isTold
  const { code, stderr } = await plant.stop()
  expect(code).toBe(0)
  const messages = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; code: string; url?: string })
  expect(messages.map(({ level, code }) => `${level} ${code}`)).toEqual([
    'info MODEL_IN_FORCE',
    'info PLANT_LISTENS',
    'info PLANT_READY',
    'info MODEL_IN_FORCE',
    'info PLANT_STOPPED',
  ])
  expect(messages[1]?.url).toBe(plant.url)
  expect(await millwright('run', project, '--data', join(folder, 'xml'), '--log-format', 'xml')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--log-format: found xml, wanted text or json'),
  })
})
