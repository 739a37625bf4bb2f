/** Method: servers of HTTP in the place of Alertmanagers, which keep what is posted; scripts/proofs/delivery.ts has a real one. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { limits } from '@millwright/core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openAlertmanager } from './alertmanager.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { notificationOf, startMs } from './testing/cases.ts'

interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
}
let posts: Alert[][] = []
let authorizations: (string | undefined)[] = []
const statuses: number[] = []
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part
  })
  request.on('end', () => {
    authorizations.push(request.headers.authorization)
    const status = statuses.shift() ?? 200
    if (status === 200 && request.url === '/prefix/api/v2/alerts') posts.push(JSON.parse(body) as Alert[])
    response.writeHead(status).end()
  })
})
let url = ''
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`
})
afterAll(() => server.close())
beforeEach(() => {
  posts = []
  authorizations = []
  statuses.length = 0
})

let nowMs = startMs
const patience = AbortSignal.timeout(60_000)
function port(
  kept: unknown = null,
  urls: readonly string[] = [url],
  mayStand = () => true,
  isDevice: (deviceId: string) => boolean = () => true,
) {
  return openAlertmanager(
    { urls, login: null, repeatEveryMs: 60_000 },
    { plant: 'press-shop', password: '', ca: null, nowMs: () => nowMs, kept, mayStand, isDevice },
  )
}
const iso = (timeMs: number): string => new Date(timeMs).toISOString()

test('a case that alerts stands, is told again with a later end, and ends when it clears (A1, A2)', async () => {
  const alerts = port()
  await alerts.send([notificationOf()], patience)
  const [raised] = posts[0] ?? []
  const { caseId } = notificationOf()
  expect(raised?.labels).toEqual({
    alertname: 'MachineAtRisk',
    plant: 'press-shop',
    device: 'press-07',
    severity: 'warning',
    caseId,
  })
  expect(raised).toMatchObject({ startsAt: iso(startMs), endsAt: iso(startMs + 240_000) })
  expect(raised?.annotations['description']).toBe('vibration = 3.5')

  nowMs = startMs + 60_000
  await alerts.repeat?.run(patience)
  expect(posts[1]).toMatchObject([{ labels: raised?.labels, startsAt: iso(startMs), endsAt: iso(startMs + 300_000) }])

  // What people do while it stands keeps it as it is.
  await alerts.send(
    [notificationOf({ sequence: 1, change: 'acknowledged', status: 'acknowledged', at: nowMs })],
    patience,
  )
  expect(posts[2]).toMatchObject([{ labels: raised?.labels, startsAt: iso(startMs) }])
  await alerts.send([notificationOf({ sequence: 2, change: 'cleared', alerting: false, at: nowMs })], patience)
  expect(posts[3]).toMatchObject([{ labels: raised?.labels, endsAt: iso(nowMs) }])
  await alerts.repeat?.run(patience)
  await alerts.send([notificationOf({ sequence: 3, change: 'commented', alerting: false })], patience)
  expect(posts).toHaveLength(4)
  nowMs = startMs
})

test('a severity that changes ends one alert and begins another (A2)', async () => {
  const alerts = port()
  await alerts.send([notificationOf()], patience)
  const at = startMs + 5000
  await alerts.send([notificationOf({ sequence: 1, change: 'escalated', severity: 'critical', at })], patience)
  expect(posts[1]).toMatchObject([
    { labels: { severity: 'warning' }, startsAt: iso(startMs), endsAt: iso(at) },
    { labels: { severity: 'critical' }, startsAt: iso(at) },
  ])
  await alerts.send(
    [notificationOf({ sequence: 2, change: 'resolved', status: 'resolved', severity: 'critical', at: at + 1 })],
    patience,
  )
  expect(posts[2]).toMatchObject([{ labels: { severity: 'critical' }, endsAt: iso(at + 1) }])
})

test('what is not for the channel does not stand, and what no longer is ends (A2)', async () => {
  let wanted = false
  const alerts = port(null, [url], () => wanted)
  await alerts.send([notificationOf()], patience)
  expect(posts).toEqual([])
  wanted = true
  await alerts.send([notificationOf({ sequence: 1, change: 'escalated' })], patience)
  wanted = false
  await alerts.send([notificationOf({ sequence: 2, change: 'de-escalated', at: startMs + 9 })], patience)
  expect(posts[1]).toMatchObject([{ endsAt: iso(startMs + 9) }])
})

test('what stands is kept over a restart, and a failed post changes nothing of it (A3)', async () => {
  const alerts = port()
  await alerts.send([notificationOf()], patience)
  const kept: unknown = JSON.parse(JSON.stringify(alerts.state?.()))
  statuses.push(503)
  const cleared = notificationOf({ sequence: 1, change: 'cleared', alerting: false })
  await expect(alerts.send([cleared], patience)).rejects.toBeInstanceOf(DeliveryFailedError)
  expect(alerts.state?.()).toEqual(kept)

  const restarted = port(kept)
  await restarted.repeat?.run(patience)
  expect(posts.at(-1)).toMatchObject([{ labels: { device: 'press-07' } }])
  await restarted.send([cleared], patience)
  expect(restarted.state?.()).toEqual([])
})

test('what stood of a device that the channel has no more is not told again after a restart (A5)', async () => {
  const alerts = port()
  await alerts.send([notificationOf()], patience)
  const kept: unknown = JSON.parse(JSON.stringify(alerts.state?.()))
  posts.length = 0
  const narrowed = port(
    kept,
    [url],
    () => true,
    (deviceId) => deviceId !== notificationOf().deviceId,
  )
  await narrowed.repeat?.run(patience)
  expect(posts).toEqual([])
  expect(narrowed.state?.()).toEqual([])
})

test('at the bound one more is refused, so that what ends behind it is told, and makes room', async () => {
  const full = Array.from({ length: limits.standingAlertsMax }, (_, i) => [
    i === 0 ? notificationOf().caseId : `press-${i}@0`,
    { labels: { severity: 'warning' }, annotations: {}, startsAt: iso(startMs) },
  ])
  const alerts = port(full)
  const another = notificationOf({ deviceId: 'mill-01' })
  await expect(alerts.send([another], patience)).rejects.toBeInstanceOf(DeliveryRefusedError)
  await alerts.send([notificationOf({ sequence: 1, change: 'cleared', alerting: false })], patience)
  await alerts.send([another], patience)
  expect(posts.map(([alert]) => alert?.labels['device'])).toEqual([undefined, 'mill-01'])
})

test('one member of a cluster that takes it is enough (A4)', async () => {
  await port(null, ['http://127.0.0.1:1', url]).send([notificationOf()], patience)
  expect(posts).toHaveLength(1)
  await expect(port(null, ['http://127.0.0.1:1']).send([notificationOf()], patience)).rejects.toThrow('ECONNREFUSED')
  statuses.push(400)
  await expect(port().send([notificationOf()], patience)).rejects.toBeInstanceOf(DeliveryRefusedError)
  statuses.push(400)
  await expect(port(null, ['http://127.0.0.1:1', url]).send([notificationOf()], patience)).rejects.toBeInstanceOf(
    DeliveryFailedError,
  )
})

test('a user and password go with each post, repetitions too; without a user nothing does, and neither is in what a person sees', async () => {
  const login = { user: 'plant', password: { from: 'environment', name: 'ONCALL' } } as const
  const use = {
    plant: 'press-shop',
    password: 'grün:ß',
    ca: null,
    nowMs: () => nowMs,
    kept: null,
    mayStand: () => true,
    isDevice: () => true,
  }
  const alerts = openAlertmanager({ urls: [url], login, repeatEveryMs: 60_000 }, use)
  await alerts.send([notificationOf()], patience)
  await alerts.repeat?.run(patience)
  const credentials = `Basic ${Buffer.from('plant:grün:ß', 'utf8').toString('base64')}`
  expect(authorizations).toEqual([credentials, credentials])
  statuses.push(401)
  const refused = await alerts.send([notificationOf({ sequence: 1, change: 'escalated' })], patience).catch(String)
  expect(`${refused} ${alerts.target} ${JSON.stringify(alerts.state?.())}`).not.toMatch(/grün|Basic/)
  expect(refused).toContain('401')
  await port().send([notificationOf()], patience)
  expect(authorizations.at(-1)).toBeUndefined()
})
