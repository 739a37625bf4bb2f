/** Method: a plant as a user runs it, a receiver of its webhook on the loopback, and the commands beside it. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeliveryStatus } from '@millwright/gateways'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { millwright, pressLines, pressPackage, writeProject } from './command-testing.ts'
import { plantsUntil } from './plant-testing.ts'

const startPlant = plantsUntil(onTestFinished)

const folder = mkdtempSync(join(tmpdir(), 'millwright-deliveries-'))
const received: { id: string; change: string }[] = []
let status = 400
const receiver = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part
  })
  request.on('end', () => {
    if (status === 204) received.push(JSON.parse(body) as { id: string; change: string })
    response.writeHead(status).end()
  })
})
let project = ''
const data = join(folder, 'data')
beforeAll(async () => {
  await once(receiver.listen(0, '127.0.0.1'), 'listening')
  const { port } = receiver.address() as AddressInfo
  project = writeProject(
    join(folder, 'plant'),
    `notify: [{ kind: 'webhook', name: 'tickets', url: 'http://127.0.0.1:${port}/', secretFile: 'secret', maxAge: '3660 d' }],`,
  )
  writeFileSync(join(project, 'model.mwmodel'), pressPackage('1'))
})
afterAll(() => {
  receiver.close()
  rmSync(folder, { recursive: true })
})

test('a plant does not start without the secret of its channel, and says which one', async () => {
  const { code, stderr } = await millwright('run', project, '--data', data, '--port', '0')
  expect(code).toBe(2)
  expect(stderr).toContain('notify[0].secretFile')
  writeFileSync(join(project, 'secret'), 'a secret of some length\n')
})

test('millwright notify test sends one message, and says why it was not taken', async () => {
  const refused = await millwright('notify', 'test', 'tickets', project)
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('answered 400')])
  status = 204
  const taken = await millwright('notify', 'test', 'tickets', project, '--json')
  expect(JSON.parse(taken.stdout)).toMatchObject({ channel: 'tickets', delivered: true })
  expect(received.splice(0)).toMatchObject([{ change: 'opened', case: { deviceId: 'millwright-test', test: true } }])
  const unknown = await millwright('notify', 'test', 'ticket', project)
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('the project declares tickets')])
})

test('what a receiver refuses is parked, over a restart, and sent when asked; the metrics and the page say so', async () => {
  status = 400
  const first = await startPlant(project, '--data', data)
  const headers = { 'content-type': 'application/x-ndjson' }
  await fetch(`${first.url}/api/readings`, { method: 'POST', headers, body: pressLines(0, 4).join('\n') })
  const channel = async (url: string): Promise<DeliveryStatus | undefined> =>
    ((await (await fetch(`${url}/api/deliveries`)).json()) as { channels: DeliveryStatus[] }).channels[0]
  await expect.poll(async () => (await channel(first.url))?.parked.length, { timeout: 120_000 }).toBeGreaterThan(0)
  expect(await (await fetch(`${first.url}/metrics`)).text()).toMatch(
    /millwright_deliveries_total\{channel="tickets",outcome="refused"\} [1-9]/,
  )
  await first.stop()

  const stopped = await millwright('deliveries', 'list', project, '--data', data)
  expect(stopped.stdout).toMatch(/parked press-2@\d+#0.*answered 400/)
  const nobody = await millwright('deliveries', 'retry', 'tickets', project, '--data', data)
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('on which no plant runs')])

  status = 204
  const second = await startPlant(project, '--data', data)
  const retried = await millwright('deliveries', 'retry', 'tickets', project, '--data', data)
  expect(retried.stdout).toContain('being sent again')
  await expect.poll(async () => (await channel(second.url))?.parked.length, { timeout: 60_000 }).toBe(0)
  for (const where of [
    [project, '--data', data],
    ['--gateway', second.url],
  ]) {
    const listed = await millwright('deliveries', 'list', ...where, '--json')
    expect(JSON.parse(listed.stdout)).toMatchObject({
      ...{ plant: 'press-shop', running: true, channels: [{ name: 'tickets', parked: [] }] },
    })
    const nothing = await millwright('deliveries', 'retry', 'all', ...where, '--json')
    expect(JSON.parse(nothing.stdout)).toEqual({ plant: 'press-shop', channel: 'all', parked: 0 })
  }
  const other = await millwright('deliveries', 'retry', 'ticket', '--gateway', second.url)
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('the project declares tickets')])
  await second.stop()
  expect(received[0]).toMatchObject({ id: expect.stringMatching(/^press-2@\d+#0$/), change: 'opened' })
}, 300_000)
