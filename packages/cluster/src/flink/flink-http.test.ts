import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@millwright/core'
import { afterEach, expect, test } from 'vitest'
import {
  FlinkAnswerError,
  FlinkAuthenticationError,
  FlinkNotFoundError,
  FlinkRefusedError,
  FlinkSavepointError,
  FlinkTimeoutError,
  FlinkUnreachableError,
} from './errors.ts'
import { FlinkClient } from './flink-client.ts'
import type { FlinkConnection } from './flink-http.ts'

// Method: a server of our own that answers what a test says, since a real Flink cannot be made to fail on demand.

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** @param answer Gets the number of the call, from 0; `null`: the connection is broken without a word. */
async function serverOf(
  answer: (call: number, response: ServerResponse) => { status: number; body: string } | null | 'silence',
  connection: Partial<FlinkConnection> = {},
): Promise<{ client: FlinkClient; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const told = answer(seen.length, response)
      seen.push({ method: request.method, url: request.url, headers: request.headers, body })
      if (told === null) request.socket.destroy()
      else if (told !== 'silence') response.writeHead(told.status).end(told.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new FlinkClient({ url, ...connection })
  closing.push(() => {
    void client.close()
    server.closeAllConnections()
    server.close()
  })
  return { client, seen }
}

const overview = JSON.stringify({
  'flink-version': '2.2.1',
  taskmanagers: 1,
  'slots-total': 3,
  'slots-available': 3,
  'jobs-running': 0,
})
const refusedBy = (client: Promise<unknown>): Promise<unknown> => client.catch((error: unknown) => error)

test('a call that changes nothing is made again after a broken connection and while there is no leader', async () => {
  const { client, seen } = await serverOf((call) =>
    call === 0
      ? null
      : call === 1
        ? { status: 503, body: '{"errors":["no leader"]}' }
        : { status: 200, body: overview },
  )
  expect((await client.overview()).slotCount).toBe(3)
  expect(seen).toHaveLength(3)
})

test('a call that changes something is made once', async () => {
  const { client, seen } = await serverOf(() => null)
  expect(await refusedBy(client.cancel('a'))).toBeInstanceOf(FlinkUnreachableError)
  expect(await refusedBy(client.runJar('x.jar'))).toBeInstanceOf(FlinkUnreachableError)
  expect(seen.map(({ method }) => method)).toEqual(['PATCH', 'POST'])
})

test('a refusal carries the status, the root cause in one line, and the trace', async () => {
  const trace = 'org.apache.flink.X: outer\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: disk full\n'
  const { client } = await serverOf(() => ({ status: 400, body: JSON.stringify({ errors: ['Bad.', trace] }) }))
  const error = (await refusedBy(client.runJar('x.jar'))) as FlinkRefusedError
  expect(error).toBeInstanceOf(FlinkRefusedError)
  expect(error.message).toContain('(HTTP 400): IOException: disk full')
  expect(error.details['status']).toBe(400)
  expect(error.trace).toContain('outer')
  expect(error.retry).toBe('never')
})

test.each([
  [401, '', FlinkAuthenticationError],
  [403, '<html>no</html>', FlinkAuthenticationError],
  [404, '{"errors":["Not found."]}', FlinkNotFoundError],
  [500, '<html>proxy</html>', FlinkRefusedError],
  [200, '<html>another server</html>', FlinkAnswerError],
  [200, '{"flink-version":"2.2.1"}', FlinkAnswerError],
])('an answer of status %i with the body %j is told apart', async (status, body, kind) => {
  const { client } = await serverOf(() => ({ status, body }))
  expect(await refusedBy(client.overview())).toBeInstanceOf(kind)
})

test('no answer in time is a timeout', async () => {
  const { client } = await serverOf(() => 'silence', { timeoutMs: 50, attemptsMax: 1 })
  const error = (await refusedBy(client.overview())) as FlinkTimeoutError
  expect(error).toBeInstanceOf(FlinkTimeoutError)
  expect(error.details['timeoutMs']).toBe(50)
})

test('user and password go into the header alone: not into a message, an error, or a URL', async () => {
  const user = { name: 'ops', password: 's3cret-word' }
  const { client, seen } = await serverOf(
    (call) => ({ status: call === 0 ? 200 : 401, body: call === 0 ? overview : '' }),
    {
      user,
    },
  )
  await client.overview()
  expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ops:s3cret-word').toString('base64')}`)
  const error = (await refusedBy(client.overview())) as Error
  expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain('s3cret')
})

test('a URL with a password, or a password in the clear to another machine, is refused and not repeated', () => {
  const make = (connection: FlinkConnection) => (): FlinkClient => new FlinkClient(connection)
  expect(make({ url: 'https://ops:s3cret@flink' })).toThrow(ConfigurationError)
  expect(make({ url: 'https://ops:s3cret@flink' })).not.toThrow(/s3cret/)
  expect(make({ url: 'http://flink:8081', user: { name: 'a', password: 'b' } })).toThrow(/https/)
  expect(make({ url: 'flink:8081' })).toThrow(ConfigurationError)
  expect(make({ url: 'http://127.0.0.1:8081', user: { name: 'a', password: 'b' } })).not.toThrow()
})

test('uploadJar() sends the bytes of the file as one part and gives back the jar’s id', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-jar-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'my "job".jar')
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 31) & 255))
  writeFileSync(path, bytes)
  const { client, seen } = await serverOf(() => ({
    status: 200,
    body: JSON.stringify({ filename: '/tmp/flink-web-upload/abc_my.jar', status: 'success' }),
  }))
  expect(await client.uploadJar(path)).toBe('abc_my.jar')
  const [upload] = seen
  expect(Number(upload?.headers['content-length'])).toBe(upload?.body.length)
  expect(upload?.body).toContain('name="jarfile"; filename="my__job_.jar"')
  const body = upload?.body ?? ''
  const start = body.indexOf('\r\n\r\n') + 4
  expect(Buffer.from(body.slice(start, start + bytes.length), 'latin1').equals(bytes)).toBe(true)
})

test('runJar() sends only what is given', async () => {
  const { client, seen } = await serverOf(() => ({ status: 200, body: '{"jobid":"j1"}' }))
  expect(await client.runJar('a b.jar')).toBe('j1')
  expect(await client.runJar('x.jar', { args: ['--a', '1'], parallelism: 3, savepointPath: 'file:///s' })).toBe('j1')
  expect(seen.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
    ['/jars/a%20b.jar/run', {}],
    ['/jars/x.jar/run', { programArgsList: ['--a', '1'], parallelism: 3, savepointPath: 'file:///s' }],
  ])
})

test('awaitSavepoint() waits until it is completed, and throws the root cause when it failed', async () => {
  const running = '{"status":{"id":"IN_PROGRESS"},"operation":null}'
  const done = '{"status":{"id":"COMPLETED"},"operation":{"location":"file:///s/1"}}'
  const failed = JSON.stringify({
    status: { id: 'COMPLETED' },
    operation: { 'failure-cause': { class: 'X', 'stack-trace': 'X: a\nCaused by: b.C: no space' } },
  })
  const first = await serverOf((call) => ({ status: 200, body: call === 0 ? running : done }))
  expect(await first.client.awaitSavepoint('j', 'r')).toBe('file:///s/1')
  const second = await serverOf(() => ({ status: 200, body: failed }))
  const error = await refusedBy(second.client.awaitSavepoint('j', 'r'))
  expect(error).toBeInstanceOf(FlinkSavepointError)
  expect((error as Error).message).toContain('C: no space')
})
