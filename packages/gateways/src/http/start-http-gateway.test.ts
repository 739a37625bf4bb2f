/** Method: a real server on a free port, real requests over loopback, and a plant of a few arrays behind it. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import {
  ConfigurationError,
  type FeedbackBatch,
  limits,
  MillwrightError,
  type PartitionLines,
  partitionOf,
  type Retry,
} from '@millwright/core'
import { createReadingDecoder } from '@millwright/operators'
import { afterEach, describe, expect, test } from 'vitest'
import { createDoor } from '../door.ts'
import type { AlertEvent, AlertFeed } from './alert-feed.ts'
import type { HttpGatewayOptions, PlantStatus } from './options.ts'
import { type HttpGateway, startHttpGateway } from './start-http-gateway.ts'

const partitionCount = 3

class TestError extends MillwrightError {
  readonly code: string
  readonly retry: Retry

  constructor(code: string, retry: Retry, details = {}) {
    super(`${code} happened`, { details })
    this.code = code
    this.retry = retry
  }
}

/** Alerts in arrays, one a partition; `append` makes one durable. */
function memoryFeed() {
  const records: AlertEvent[][] = [[], []]
  const listeners = new Set<(events: readonly AlertEvent[]) => void>()
  const feed: AlertFeed = {
    ends: () => records.map((partition) => partition.length),
    async *read(from) {
      for (const [partition, some] of records.entries()) yield* some.slice(from[partition])
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const append = (partition: number, line: string): void => {
    const event = { partition, offset: records[partition]?.length ?? 0, line }
    records[partition]?.push(event)
    for (const listener of listeners) listener([event])
  }
  return { feed, append, listeners }
}

const status: PlantStatus = {
  plant: 'pumps',
  version: '0.1.0',
  startedAt: 1,
  now: 2,
  counts: {
    readingsIn: 0,
    readingsAccepted: 0,
    readingsDropped: {},
    deadLetters: {},
    redelivered: 0,
    late: 0,
    windows: 0,
    windowsUnscored: 0,
    alertsHigh: 0,
  },
  devices: 0,
  model: null,
  refusedModel: null,
  lag: { records: 0, ageMs: 0 },
  disk: { usedBytes: 0, budgetBytes: 1, freeBytes: 1 },
  latestAlerts: [],
}

interface OpenApiDocument {
  readonly openapi: string
  readonly paths: Readonly<Record<string, object>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const gateways: HttpGateway[] = []
/** The clock of all these gateways. */
const untilMs = 1_700_000_500_000
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})

async function start(changes: Partial<HttpGatewayOptions> = {}) {
  const appended: { topic: string; parts: readonly PartitionLines[] }[] = []
  const feedback: FeedbackBatch[] = []
  const errors: unknown[] = []
  const decoder = createReadingDecoder({ channels: ['temperature'], timestamp: 'event', devicesMax: 1000 })
  const alerts = memoryFeed()
  const gateway = await startHttpGateway({
    port: 0,
    door: createDoor({ decoder, devicesMax: 1000, partitionCount }),
    ingest: {
      append: async (topic, parts) => {
        // As a log does: the memory is the gateway's again afterwards.
        appended.push({ topic, parts: parts.map((part) => ({ ...part, lines: part.lines.slice() })) })
      },
      ready: async () => undefined,
    },
    feedback: { appendFeedback: async (batch) => void feedback.push(batch) },
    verdictsUntilMs: () => untilMs,
    plant: { notReady: () => null, metrics: () => 'up 1\n', status: () => status },
    alerts: alerts.feed,
    models: {
      list: () => [],
      publish: () => Promise.reject(new TestError('UNUSED', 'never')),
      rollback: () => Promise.reject(new TestError('UNUSED', 'never')),
    },
    onError: (error) => errors.push(error),
    ...changes,
  })
  gateways.push(gateway)
  return { gateway, url: gateway.url, appended, feedback, errors, alerts }
}

const reading = (deviceId: string, temperature: number | string = 20): string =>
  `{"deviceId":"${deviceId}","timestamp":1700000000000,"temperature":${temperature}}`

async function post(url: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  })
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
}

const linesOf = (parts: readonly PartitionLines[]): Record<number, string> =>
  Object.fromEntries(parts.map(({ partition, lines }) => [partition, Buffer.from(lines).toString()]))

describe('POST /api/readings', () => {
  test('appends the bytes as they came, by device, and answers what was accepted and what was not', async () => {
    const { url, appended } = await start()
    const lines = [reading('press-1', 1e3), 'oops', '', reading('press-2', '12345678901234567890'), reading('a', '"x"')]
    const { status, body } = await post(`${url}/api/readings`, lines.join('\n'))
    expect(status).toBe(202)
    expect(body).toEqual({
      accepted: 2,
      rejected: [
        { line: 2, reason: 'not-json', message: expect.any(String) },
        { line: 5, reason: 'channel-not-a-number', message: expect.stringContaining('temperature') },
      ],
    })
    expect(appended).toHaveLength(1)
    expect(appended[0]?.topic).toBe('sensor-data')
    const stored = linesOf(appended[0]?.parts ?? [])
    expect(stored[0]).toContain('oops\n')
    expect(stored[0]).toContain(`${lines[4]}\n`)
    for (const index of [0, 3]) {
      const device = index === 0 ? 'press-1' : 'press-2'
      expect(stored[partitionOf(device, partitionCount)]).toContain(`${lines[index]}\n`)
    }
  })

  test('answers only when the append is done, and with its refusal when it is refused', async () => {
    let finish: () => void = () => undefined
    const appending = new Promise<void>((resolve) => {
      finish = resolve
    })
    const seen: string[] = []
    const { url } = await start({
      ingest: {
        append: async () => {
          seen.push('append')
          await appending
          seen.push('durable')
        },
        ready: async () => undefined,
      },
    })
    const answered = post(`${url}/api/readings`, reading('a')).then(() => seen.push('answered'))
    // Another request and its answer give the first one time to be answered too early.
    await fetch(`${url}/healthz`)
    await fetch(`${url}/healthz`)
    finish()
    await answered
    expect(seen).toEqual(['append', 'durable', 'answered'])
  })

  test.each([
    ['BUSY', 'later', 429, 'busy'],
    ['DISK_FULL', 'later', 507, 'disk-full'],
    ['DISK_FAILED', 'later', 503, 'unavailable'],
    ['ENGINE_CLOSED', 'never', 503, 'closing'],
  ] as const)('answers %s of the log as a problem with Retry-After', async (code, retry, wanted, problemCode) => {
    const { url, errors } = await start({
      ingest: { append: () => Promise.reject(new TestError(code, retry)), ready: async () => undefined },
    })
    const { status, headers, body } = await post(`${url}/api/readings`, reading('a'))
    expect([status, body.code, body.status]).toEqual([wanted, problemCode, wanted])
    expect(headers.get('content-type')).toContain('application/problem+json')
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(errors).toEqual([])
  })

  test('answers a fault of ours with 500, tells the log of it and the client nothing of its inside', async () => {
    const fault = new Error('secret path')
    const { url, errors } = await start({
      ingest: { append: () => Promise.reject(fault), ready: async () => undefined },
    })
    const { status, body } = await post(`${url}/api/readings`, reading('a'))
    expect([status, body.code]).toEqual([500, 'internal'])
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(errors).toEqual([fault])
  })

  test('takes gzip and deflate', async () => {
    const { url } = await start()
    const body = Array.from({ length: 1000 }, (_, i) => reading(`m${i}`)).join('\n')
    for (const [encoding, bytes] of [
      ['gzip', gzipSync(body)],
      ['x-gzip', Buffer.concat([gzipSync(body.slice(0, 5000)), gzipSync(body.slice(5000))])],
      ['deflate', deflateSync(body)],
    ] as const)
      expect((await post(`${url}/api/readings`, bytes, { 'content-encoding': encoding })).body.accepted).toBe(1000)
  })

  test('refuses damaged and cut compression, and accepts nothing of it', async () => {
    const { url, appended } = await start()
    const whole = gzipSync(`${reading('a')}\n`.repeat(1000))
    for (const bytes of [whole.subarray(0, -5), whole.subarray(0, 20), Buffer.from('not gzip at all')]) {
      const { status, body } = await post(`${url}/api/readings`, bytes, { 'content-encoding': 'gzip' })
      expect([status, body.code]).toEqual([400, 'body-damaged'])
    }
    expect(appended).toEqual([])
  })

  test('refuses a body that expands beyond the bound, without holding all of it', async () => {
    const { url, appended } = await start()
    const bomb = gzipSync(Buffer.alloc(4 * limits.requestBytesMax, 32))
    const before = process.memoryUsage().arrayBuffers
    const { status, body } = await post(`${url}/api/readings`, bomb, { 'content-encoding': 'gzip' })
    expect([status, body.code]).toEqual([413, 'body-too-large'])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(3 * limits.requestBytesMax)
    expect(appended).toEqual([])
  })

  test('refuses a body that is too large, said so or not, and goes on serving the connection', async () => {
    const { url } = await start()
    const large = Buffer.alloc(limits.requestBytesMax + 1, 'x')
    expect((await post(`${url}/api/readings`, large)).status).toBe(413)
    const chunked = new ReadableStream({
      pull(controller) {
        for (let i = 0; i <= 32; i++) controller.enqueue(large.subarray(0, 1024 * 1024))
        controller.close()
      },
    })
    const init = { method: 'POST', body: chunked, duplex: 'half', headers: { 'content-type': 'text/plain' } }
    expect((await fetch(`${url}/api/readings`, init as RequestInit)).status).toBe(413)
    expect((await post(`${url}/api/readings`, reading('a'))).status).toBe(202)
  })

  test('takes what is just as large as the bound', async () => {
    const { url } = await start()
    const line = `${reading('a')}\n`
    const body = Buffer.from(line.repeat(Math.floor(limits.requestBytesMax / line.length)))
    const padded = Buffer.concat([body, Buffer.alloc(limits.requestBytesMax - body.length, 10)])
    const { status, body: answer } = await post(`${url}/api/readings`, padded)
    expect([status, answer.accepted]).toEqual([202, body.length / line.length])
  })

  test('takes one object, an array and lines by content, where the type is JSON or text', async () => {
    const { url, appended } = await start()
    const object = `{\n  "deviceId": "a",\n  "timestamp": 1700000000000,\n  "temperature": 1e999\n}`
    for (const type of ['application/json', 'application/json; charset=utf-8', 'text/plain']) {
      const send = async (body: string) => (await post(`${url}/api/readings`, body, { 'content-type': type })).body
      expect(await send(reading('a'))).toMatchObject({ accepted: 1, rejected: [] })
      expect(await send(`${reading('a')}\n${reading('b')}\n`)).toMatchObject({ accepted: 2 })
      expect(await send(`[${reading('a')},\n${reading('b')}, 7]`)).toMatchObject({
        accepted: 2,
        rejected: [{ line: 3, reason: 'not-an-object' }],
      })
      expect(await send(object)).toMatchObject({ accepted: 0, rejected: [{ line: 1, reason: 'channel-not-finite' }] })
      expect(await send(`[${reading('a')},`)).toMatchObject({
        accepted: 0,
        rejected: [{ line: 1, reason: 'not-json' }],
      })
      expect(await send('[]')).toEqual({ accepted: 0, rejected: [] })
    }
    const stored = appended.flatMap(({ parts }) => Object.values(linesOf(parts))).join('')
    expect(stored).toContain('{   "deviceId": "a",   "timestamp": 1700000000000,   "temperature": 1e999 }\n')
  })

  test('refuses content types, character sets and encodings that it does not know', async () => {
    const { url } = await start()
    for (const [name, value] of [
      ['content-type', 'application/x-www-form-urlencoded'],
      ['content-type', 'text/csv'],
      ['content-type', 'application/json; charset=utf-16'],
      ['content-encoding', 'br'],
      ['content-encoding', 'gzip, gzip'],
    ] as const) {
      const { status, body } = await post(`${url}/api/readings`, reading('a'), { [name]: value })
      expect([status, body.code]).toEqual([415, `${name}-unsupported`])
    }
  })

  test('counts refused lines of which it lists only the first', async () => {
    const { url } = await start()
    const { body } = await post(`${url}/api/readings`, 'x\n'.repeat(limits.refusalsReportedMax + 1))
    expect(body.rejected).toHaveLength(limits.refusalsReportedMax)
    expect(body.rejectedCount).toBe(limits.refusalsReportedMax + 1)
  })

  test('accepts nothing of a request whose client goes away', async () => {
    const { gateway, url, appended } = await start()
    const socket = connect(gateway.port, '127.0.0.1')
    const head =
      'POST /api/readings HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 1000\r\n\r\n'
    socket.write(`${head}${reading('a')}\n`)
    await once(socket, 'connect')
    socket.destroy()
    await post(`${url}/api/readings`, reading('b'))
    await gateway.close()
    expect(appended).toHaveLength(1)
    expect(Object.values(linesOf(appended[0]?.parts ?? [])).join('')).toBe(`${reading('b')}\n`)
  })

  test('holds a bounded number of bytes of all requests together', async () => {
    const waiting: (() => void)[] = []
    const { url } = await start({
      ingest: { append: () => new Promise((resolve) => waiting.push(resolve)), ready: async () => undefined },
    })
    const count = limits.requestBytesInFlightMax / limits.requestBytesMax
    const body = Buffer.alloc(limits.requestBytesMax, `${'x'.repeat(65_535)}\n`)
    const answers = Array.from({ length: count + 1 }, () => post(`${url}/api/readings`, body))
    const first = await Promise.race(answers)
    expect([first.status, first.body.code]).toEqual([429, 'busy'])
    while (waiting.length < count) await fetch(`${url}/healthz`)
    for (const finish of waiting) finish()
    const statuses = (await Promise.all(answers)).map(({ status }) => status).sort()
    expect(statuses).toEqual([...Array.from({ length: count }, () => 202), 429])
    const again = post(`${url}/api/readings`, reading('a'))
    while (waiting.length <= count) await fetch(`${url}/healthz`)
    waiting.at(-1)?.()
    expect((await again).status).toBe(202)
  })
})

describe('POST /api/feedback', () => {
  const verdict = (id: string, kind = 'false-alarm'): string =>
    `{"id":"${id}","revision":0,"deviceId":"press-1","verdict":"${kind}","from":1700000000000,"to":1700000300000,"recordedAt":1700000400000}`

  test('answers when verdicts are durable, and gives the reason of each that is refused', async () => {
    const { url, feedback } = await start()
    const { status, body } = await post(`${url}/api/feedback`, `[${verdict('a')}, ${verdict('b', 'perhaps')}]`, {
      'content-type': 'application/json',
    })
    expect(status).toBe(202)
    expect(body).toEqual({
      accepted: 1,
      rejected: [{ line: 2, reason: 'feedback-verdict', message: expect.stringContaining('found "perhaps", wanted') }],
    })
    expect(feedback.map(({ accepted, refused }) => [accepted, refused.length])).toEqual([
      [[{ deviceId: 'press-1', line: verdict('a') }], 1],
    ])
  })

  test('refuses a failure that has not come yet', async () => {
    const { url, feedback } = await start()
    const failed = (id: string, failureAt: number): string =>
      verdict(id, 'failure-confirmed').replace('}', `,"failureAt":${failureAt}}`)
    const { body } = await post(
      `${url}/api/feedback`,
      `[${failed('a', untilMs + 86_400_000)}, ${failed('b', untilMs)}]`,
      { 'content-type': 'application/json' },
    )
    expect(body).toMatchObject({ accepted: 1, rejected: [{ line: 1, reason: 'feedback-failure-at' }] })
    expect(feedback.map(({ accepted, refused }) => [accepted.length, refused.length])).toEqual([[1, 1]])
  })

  test('acknowledges nothing that could not be stored', async () => {
    const { url } = await start({
      feedback: { appendFeedback: () => Promise.reject(new TestError('DISK_FULL', 'later')) },
    })
    expect((await post(`${url}/api/feedback`, verdict('a'))).status).toBe(507)
  })
})

describe('POST /api/events', () => {
  test('appends device events to their own topic', async () => {
    const { url, appended } = await start()
    const event = '{"deviceId":"press-1","timestamp":1700000000000,"type":"maintenance"}'
    const { body } = await post(`${url}/api/events`, `[${event}, {"deviceId":"press-1"}]`, {
      'content-type': 'application/json',
    })
    expect(body).toMatchObject({ accepted: 1, rejected: [{ line: 2, reason: 'timestamp-missing' }] })
    expect(appended[0]?.topic).toBe('device-events')
    expect(linesOf(appended[0]?.parts ?? [])).toEqual({
      [partitionOf('press-1', partitionCount)]: `${event}\n{"deviceId":"press-1"}\n`,
    })
  })
})

describe('models', () => {
  const update = { name: 'wear', version: '2', sha256: 'a'.repeat(64), activeFrom: 5 }
  const octets = { 'content-type': 'application/octet-stream' }

  test('are listed, published as bytes, and taken back', async () => {
    const calls: unknown[] = []
    const { url } = await start({
      models: {
        list: () => [{ ...update, state: 'in-force' }],
        publish: async (bytes) => {
          calls.push(Buffer.from(bytes).toString())
          return update
        },
        rollback: async () => {
          calls.push('rollback')
          return update
        },
      },
    })
    expect(await (await fetch(`${url}/api/models`)).json()).toEqual({ models: [{ ...update, state: 'in-force' }] })
    expect(await post(`${url}/api/models`, 'package', octets)).toMatchObject({ status: 201, body: update })
    expect(
      await post(`${url}/api/models`, gzipSync('zipped'), { ...octets, 'content-encoding': 'gzip' }),
    ).toMatchObject({
      status: 201,
    })
    expect(await post(`${url}/api/models/rollback`, '')).toMatchObject({ status: 201, body: update })
    expect(calls).toEqual(['package', 'zipped', 'rollback'])
  })

  test('a package that is refused says why by a code, and a fault of ours does not', async () => {
    const failures: Error[] = [
      new TestError('MODEL_REFUSED', 'never', { reason: 'golden-rows-differ' }),
      new TestError('MODEL_FILE', 'never'),
      new TestError('DISK_FULL', 'later'),
      new Error('bug'),
    ]
    const { url, errors } = await start({
      models: {
        list: () => [],
        publish: () => Promise.reject(failures.shift()),
        rollback: () => Promise.reject(new TestError('NO_PREVIOUS_MODEL', 'never')),
      },
    })
    const answers: unknown[] = []
    for (let i = 0; i < 4; i++) {
      const { status, body } = await post(`${url}/api/models`, 'x', octets)
      answers.push([status, body.code])
    }
    expect(answers).toEqual([
      [422, 'golden-rows-differ'],
      [422, 'model-file'],
      [507, 'disk-full'],
      [500, 'internal'],
    ])
    expect(errors).toMatchObject([{ message: 'bug' }])
    expect(await post(`${url}/api/models/rollback`, '')).toMatchObject({
      status: 409,
      body: { code: 'no-previous-model' },
    })
  })

  test('commands that cannot be read are refused', async () => {
    const { url } = await start()
    expect((await post(`${url}/api/models`, '{}', { 'content-type': 'application/json' })).status).toBe(415)
    expect(await post(`${url}/api/models/rollback`, '{"version":"1"}')).toMatchObject({
      status: 400,
      body: { code: 'command-malformed' },
    })
    expect((await post(`${url}/api/models/rollback`, ' '.repeat(5000))).status).toBe(413)
  })
})

describe('what is served to those who watch', () => {
  test('probes, metrics and status', async () => {
    let reason: string | null = null
    const { url } = await start({
      plant: { notReady: () => reason, metrics: () => 'up 1\n', status: () => status },
    })
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n')
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    reason = 'the log is being read'
    const notReady = await fetch(`${url}/readyz`)
    expect([notReady.status, await notReady.json()]).toMatchObject([503, { detail: reason }])
    const metrics = await fetch(`${url}/metrics`)
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(await metrics.text()).toBe('up 1\n')
    expect(await (await fetch(`${url}/api/status`)).json()).toEqual(status)
  })

  test('the OpenAPI document has exactly the routes that are served', async () => {
    const { gateway, url } = await start()
    const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as OpenApiDocument
    expect(document.openapi).toBe('3.1.0')
    const documented = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(documented.sort()).toEqual(gateway.routes)
    for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g))
      expect(document.components.schemas).toHaveProperty(name ?? '')
  })

  test('the page loads nothing from elsewhere, and its policy lets nothing but itself run', async () => {
    const { url } = await start()
    const response = await fetch(url)
    const html = await response.text()
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]+';/)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    // No address, no handler in an attribute, nothing that turns text into markup.
    expect(html).not.toMatch(/https?:\/\/|\/\/[a-z]+\.|\son\w+=|<script\s|<style\s|\sstyle=/i)
    expect(html).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function/)
    for (const [, path] of html.matchAll(/(?:fetch|EventSource)\('([^'?]+)/g))
      expect((await fetch(`${url}/${path}`, { signal: AbortSignal.timeout(5000) })).status).toBe(200)
  })

  test('every answer forbids to be guessed at, framed and kept', async () => {
    const { url } = await start()
    for (const path of ['/', '/api/status', '/nowhere', '/metrics']) {
      const { headers } = await fetch(`${url}${path}`)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('cache-control')).toBe('no-store')
    }
  })

  test('counts requests by route and status', async () => {
    const { gateway, url } = await start()
    await post(`${url}/api/readings`, `${reading('a')}\nx`)
    await fetch(`${url}/anything/at/all`)
    expect(gateway.counters()).toMatchObject({
      'http_requests_total{route="/api/readings",status="202"}': 1,
      'http_requests_total{route="none",status="404"}': 1,
      'http_accepted_total{topic="sensor-data"}': 1,
      'http_refused_total{topic="sensor-data"}': 1,
      'http_problems_total{code="not-found"}': 1,
    })
    await expect.poll(() => gateway.stats().requestsInFlight).toBe(0)
    const { eventStreams, requestDurations } = gateway.stats()
    expect(eventStreams).toBe(0)
    expect(requestDurations.get('/api/readings')?.counts.at(-1)).toBe(1)
    expect([...requestDurations.keys()].sort()).toEqual(['/api/readings', 'none'])
  })
})

describe('requests that are none of ours', () => {
  /** Sends a request with headers that `fetch` would not let through. */
  async function raw(port: number, options: { method?: string; path?: string; headers: Record<string, string> }) {
    const request = httpRequest({ port, host: '127.0.0.1', path: '/healthz', ...options }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += chunk
    return { status: response.statusCode, text }
  }

  test('of another host or from a page of another site are refused, whatever the route', async () => {
    const { gateway, appended } = await start({ hostNames: ['plant.local'] })
    const { port } = gateway
    for (const path of ['/', '/healthz', '/api/status', '/api/events', '/nowhere']) {
      const { status, text } = await raw(port, { path, headers: { host: 'evil.example' } })
      expect([status, JSON.parse(text).code]).toEqual([421, 'host-unknown'])
    }
    expect((await raw(port, { headers: { host: 'plant.local:9' } })).status).toBe(200)
    for (const path of ['/api/readings', '/api/events', '/api/feedback', '/api/models', '/api/models/rollback']) {
      const headers = { host: 'localhost', origin: 'http://evil.example', 'content-type': 'text/plain' }
      const { status, text } = await raw(port, { method: 'POST', path, headers })
      expect([status, JSON.parse(text).code]).toEqual([403, 'origin-foreign'])
    }
    expect(appended).toEqual([])
  })

  test('get a problem document: unknown paths, methods, headers too large, no HTTP at all', async () => {
    const { gateway, url } = await start()
    const missing = await fetch(`${url}/nowhere`)
    expect([missing.status, missing.headers.get('content-type')]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ])
    const wrongMethod = await fetch(`${url}/api/readings`)
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await fetch(`${url}/api/events`, { method: 'DELETE' })).headers.get('allow')).toBe('GET, POST')
    const headers = { host: 'localhost', 'x-large': 'x'.repeat(limits.requestHeaderBytesMax) }
    const tooLarge = await raw(gateway.port, { headers })
    expect([tooLarge.status, JSON.parse(tooLarge.text).code]).toEqual([431, 'headers-too-large'])
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write('hello\r\n\r\n')
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toContain('"request-malformed"')
    socket.destroy()
  })
})

describe('where it listens', () => {
  test('says which field is wrong when it cannot listen', async () => {
    const { gateway } = await start()
    await expect(start({ port: gateway.port })).rejects.toThrow('which another program uses')
    await expect(start({ host: '0.0.0.0' })).rejects.toBeInstanceOf(ConfigurationError)
    await expect(start({ tls: { cert: 'none', key: 'none' } })).rejects.toThrow('a certificate and its key')
  })

  test('serves TLS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millwright-tls-'))
    try {
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
      const command = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ]
      const subject = ['-subj', '/CN=localhost', '-keyout', key, '-out', cert]
      execFileSync('openssl', [...command, ...subject], { stdio: 'ignore' })
      const { gateway } = await start({ tls: { cert: readFileSync(cert), key: readFileSync(key) } })
      expect(gateway.url).toMatch(/^https:/)
      const request = httpsRequest(`${gateway.url}/healthz`, { ca: readFileSync(cert), servername: 'localhost' }).end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      expect(response.statusCode).toBe(200)
      response.destroy()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('close()', () => {
  test('lets a request in flight end, and takes no new one', async () => {
    let finish: () => void = () => undefined
    let reached: () => void = () => undefined
    const inFlight = new Promise<void>((resolve) => {
      reached = resolve
    })
    const { gateway, url } = await start({
      ingest: {
        append: () =>
          new Promise((resolve) => {
            finish = resolve
            reached()
          }),
        ready: async () => undefined,
      },
      closeGraceMs: 60_000,
    })
    const answer = post(`${url}/api/readings`, reading('a'))
    await inFlight
    let closed = false
    const closing = gateway.close().then(() => {
      closed = true
    })
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    expect(closed).toBe(false)
    finish()
    expect((await answer).status).toBe(202)
    await closing
  })

  test('cuts off what does not end in time, and ends the streams', async () => {
    let reached: () => void = () => undefined
    const inFlight = new Promise<void>((resolve) => {
      reached = resolve
    })
    const append = (): Promise<void> => {
      reached()
      return new Promise(() => undefined)
    }
    const { gateway, url } = await start({ ingest: { append, ready: async () => undefined }, closeGraceMs: 1 })
    const stream = await fetch(`${url}/api/events`)
    const answer = post(`${url}/api/readings`, reading('a')).catch(() => 'cut off')
    await inFlight
    await gateway.close()
    expect(await answer).toBe('cut off')
    expect(await stream.text()).toContain('retry:')
  })
})
