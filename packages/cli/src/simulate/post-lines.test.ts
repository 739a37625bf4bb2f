/** Method: a real HTTP server on loopback that answers from a script; waits are recorded, not waited. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { attemptsMax, DeliveryError, LinePoster } from './post-lines.ts'

type Answer = { status: number; headers?: Record<string, string>; body?: string } | 'hang up'

const taken: Answer = { status: 202, body: '{"accepted":2,"rejected":[{"line":3,"reason":"not-json"}]}' }
const lines = new TextEncoder().encode('{"a":1}\n{"a":2}\nx\n')
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Serves the answers in turn, the last one for ever. */
async function serve(answers: readonly Answer[]) {
  const bodies: { text: string; headers: IncomingMessage['headers'] }[] = []
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answer = answers[Math.min(bodies.length, answers.length - 1)] as Answer
    bodies.push({ text: Buffer.concat(chunks).toString(), headers: request.headers })
    if (answer === 'hang up') request.socket.destroy()
    else response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const waits: number[] = []
  const poster = new LinePoster({
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/readings`),
    wait: async (ms) => void waits.push(ms),
    now: () => Date.parse('2026-01-05T00:00:00Z'),
  })
  return { poster, bodies, waits }
}

test('LinePoster posts the bytes as NDJSON and counts what was accepted and rejected', async () => {
  const { poster, bodies, waits } = await serve([taken])
  await poster.post(lines)
  await poster.post(lines)
  expect(bodies.map((body) => body.text)).toEqual(['{"a":1}\n{"a":2}\nx\n', '{"a":1}\n{"a":2}\nx\n'])
  expect(bodies[0]?.headers['content-type']).toBe('application/x-ndjson')
  expect(poster.counts).toEqual({ accepted: 4, rejected: 2, retried: 0 })
  expect(waits).toEqual([])
})

test('LinePoster sends a batch again after 429, when Retry-After says', async () => {
  const { poster, bodies, waits } = await serve([
    { status: 429, headers: { 'retry-after': '7' } },
    { status: 429, headers: { 'retry-after': 'Mon, 05 Jan 2026 00:00:03 GMT' } },
    { status: 503, headers: { 'retry-after': 'soon' } },
    taken,
  ])
  await poster.post(lines)
  expect(bodies.length).toBe(4)
  expect(waits).toEqual([7000, 3000, 1000])
  expect(poster.counts).toEqual({ accepted: 2, rejected: 1, retried: 3 })
})

test('LinePoster sends a batch again after a broken connection, a little later each time', async () => {
  const { poster, bodies, waits } = await serve(['hang up', 'hang up', taken])
  await poster.post(lines)
  expect(bodies.length).toBe(3)
  expect(waits).toEqual([250, 500])
})

test('LinePoster gives up after a bounded number of tries and says why', async () => {
  const { poster, bodies, waits } = await serve([{ status: 429, body: 'full' }])
  await expect(poster.post(lines)).rejects.toThrow(/Cannot deliver readings to http:\/\/127.*429 full/)
  expect(bodies.length).toBe(attemptsMax)
  expect(Math.max(...waits)).toBe(30_000)
})

test.each([400, 401, 413, 500, 200, 302])('LinePoster does not try again after %i', async (status) => {
  const { poster, bodies } = await serve([{ status, headers: { location: 'http://192.0.2.1/' }, body: 'detail' }])
  await expect(poster.post(lines)).rejects.toThrow(DeliveryError)
  expect(bodies.length).toBe(1)
})

test('LinePoster does not wait for a plant that asks for more than five minutes', async () => {
  const { poster, waits } = await serve([{ status: 503, headers: { 'retry-after': '3600' } }])
  await expect(poster.post(lines)).rejects.toThrow('to be tried again in 3600 s')
  expect(waits).toEqual([])
})

test('LinePoster refuses an answer that is not a plant’s', async () => {
  for (const body of ['', 'ok', '{}', '{"accepted":"2","rejected":[]}', 'null']) {
    const { poster } = await serve([{ status: 202, body }])
    await expect(poster.post(lines)).rejects.toThrow('wanted {"accepted", "rejected"}')
  }
})

test('LinePoster names the reason where nobody listens', async () => {
  const { poster } = await serve([taken])
  for (const close of closing.splice(0)) await close()
  await expect(poster.post(lines)).rejects.toThrow('ECONNREFUSED')
})
