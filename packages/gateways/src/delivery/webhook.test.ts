/** Method: a real server of HTTP on the loopback, which checks what comes as docs/guide/notifications.md tells receivers to. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { retryAfterMs } from './post-json.ts'
import { notificationOf, startMs } from './testing/cases.ts'
import { headerText, openWebhook } from './webhook.ts'

const secret = 'a secret of some length'
interface Received {
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
const received: Received[] = []
let answer: (response: ServerResponse) => void
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part
  })
  request.on('end', () => {
    received.push({ headers: request.headers, body })
    answer(response)
  })
})
let url = ''
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/token-in-the-path`
})
afterAll(() => server.close())

const webhook = () => openWebhook({ url, secret, plant: 'press-shop', ca: null, nowMs: () => startMs + 500 })
const patience = AbortSignal.timeout(60_000)

async function sent(notification = notificationOf()): Promise<Received | undefined> {
  await webhook().send([notification], patience)
  return received.at(-1)
}

test('a webhook posts the case as it is on the topic, with the id and a signature that its receiver can check', async () => {
  answer = (response) => response.writeHead(204).end()
  const notification = notificationOf({ deviceId: 'Presse 7 – Süd%', note: 'kept' })
  const found = await sent(notification)
  const body = JSON.parse(found?.body ?? '') as { id: string; plant: string; change: string; case: unknown }
  expect(body).toEqual({
    id: notification.id,
    plant: 'press-shop',
    change: 'opened',
    case: JSON.parse(notification.record),
  })
  expect(decodeURIComponent(String(found?.headers['idempotency-key']))).toBe(notification.id)
  const timestamp = String(found?.headers['millwright-timestamp'])
  expect(Number(timestamp)).toBe(Math.floor(startMs / 1000))
  const wanted = createHmac('sha256', secret).update(`${timestamp}.${found?.body}`).digest()
  const given = Buffer.from(String(found?.headers['millwright-signature']).replace('v1=', ''), 'hex')
  expect(timingSafeEqual(wanted, given)).toBe(true)
})

test('a webhook shows only where it goes: a path may hold a token', () => {
  expect(webhook().target).toBe(new URL(url).origin)
})

test.each([
  500, 502, 503, 408, 425, 429,
])('an answer of %i is to be tried again, when the peer says so', async (status) => {
  answer = (response) => response.writeHead(status, { 'retry-after': '120' }).end('later')
  const failure = await sent().catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(DeliveryFailedError)
  expect(failure).toMatchObject({
    retryAfterMs: 120_000,
    message: expect.stringContaining(`answered ${status}: later`),
  })
})

test.each([400, 401, 403, 404, 410, 413, 422])('an answer of %i is for good', async (status) => {
  answer = (response) => response.writeHead(status).end()
  await expect(sent()).rejects.toBeInstanceOf(DeliveryRefusedError)
})

test('a redirect is not followed', async () => {
  answer = (response) => response.writeHead(307, { location: url }).end()
  const before = received.length
  await expect(sent()).rejects.toThrow('a redirect')
  expect(received).toHaveLength(before + 1)
})

test.each([
  ['before the status', (response: ServerResponse) => response.socket?.destroy()],
  [
    'in the middle of a 200',
    (response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => response.socket?.destroy())
    },
  ],
])('an answer that is cut off %s is none', async (_, cut) => {
  answer = cut
  await expect(sent()).rejects.toBeInstanceOf(DeliveryFailedError)
})

test('a receiver that does not answer is given up with the attempt, and one that answers without end, too', async () => {
  const attempt = new AbortController()
  answer = () => attempt.abort()
  await expect(webhook().send([notificationOf()], attempt.signal)).rejects.toThrow('no answer in time')
  answer = (response) => response.writeHead(200).end('x'.repeat(100_000))
  await expect(sent()).rejects.toThrow('longer than what is read')
})

test('nobody at the address is to be tried again', async () => {
  const nobody = createServer()
  await once(nobody.listen(0, '127.0.0.1'), 'listening')
  const { port } = nobody.address() as AddressInfo
  nobody.close()
  await once(nobody, 'close')
  const port0 = openWebhook({ url: `http://127.0.0.1:${port}/`, secret, plant: 'p', ca: null, nowMs: () => 0 })
  await expect(port0.send([notificationOf()], patience)).rejects.toThrow('ECONNREFUSED')
})

test('retryAfterMs() reads seconds and dates, and nothing else', () => {
  expect(retryAfterMs('7', 0)).toBe(7000)
  expect(retryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT', Date.UTC(2015, 9, 21, 7, 27))).toBe(60_000)
  expect(retryAfterMs('Wed, 21 Oct 2015 07:28:00 GMT', Date.UTC(2020, 1, 1))).toBe(0)
  expect(retryAfterMs('soon', 0)).toBeNull()
  expect(retryAfterMs(undefined, 0)).toBeNull()
})

test('headerText() gives visible ASCII that decodes to the id', () => {
  expect(headerText('press-07@1766000400000#3')).toBe('press-07@1766000400000#3')
  expect(headerText('ü %')).toBe('%C3%BC%20%25')
})
