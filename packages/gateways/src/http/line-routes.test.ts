import type { PartitionLines } from '@millwright/core'
import { createReadingDecoder } from '@millwright/operators'
import { afterEach, expect, test } from 'vitest'
import { LineEvents } from '../door/line-events.ts'
import { createDoor } from '../door.ts'
import type { HttpGateway } from './start-http-gateway.ts'
import { startQuietGateway } from './testing/quiet-gateway.ts'

const gateways: HttpGateway[] = []
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})
const lines = [{ name: 'line-1', devices: ['press-07', 'press-08'] }]

async function start(hasLines = true): Promise<{ url: string; appended: string[] }> {
  const appended: string[] = []
  const decoder = createReadingDecoder({ channels: ['temperature'], timestamp: 'event', devicesMax: 10 })
  const append = async (_topic: string, parts: readonly PartitionLines[]): Promise<void> => {
    for (const part of parts) appended.push(...Buffer.from(part.lines).toString().trimEnd().split('\n'))
  }
  const events = new LineEvents({
    plan: { lines, time: { maxClockAheadMs: 0 } as never },
    usedTypes: ['line-stop'],
    door: createDoor({ decoder, devicesMax: 10, partitionCount: 1 }),
    ingest: { append, ready: async () => undefined },
    nowMs: () => 2000,
  })
  const gateway = await startQuietGateway({ lineEvents: hasLines ? events : null })
  gateways.push(gateway)
  return { url: `${gateway.url}/api/lines`, appended }
}
const answerOf = async (answer: Response): Promise<unknown> => [answer.status, await answer.json()]
const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body })

test('POST /api/lines/{line}/events writes the event of each machine; GET /api/lines names the lines', async () => {
  const { url, appended } = await start()
  expect(await answerOf(await fetch(url))).toEqual([200, { lines }])
  const answer = await post(`${url}/line-1/events`, '{"type":"line-stop","timestamp":1000,"detail":"jam"}')
  const written = { line: 'line-1', type: 'line-stop', timestamp: 1000, devices: 2, used: true }
  expect(await answerOf(answer)).toEqual([202, written])
  expect(appended).toEqual(
    ['press-07', 'press-08'].map(
      (deviceId) => `{"deviceId":"${deviceId}","timestamp":1000,"type":"line-stop","detail":"jam"}`,
    ),
  )
  const now = await post(`${url}/line-1/events`, '{"type":"line-stopp"}')
  expect(await answerOf(now)).toMatchObject([202, { timestamp: 2000, used: false }])
})

test.each([
  ['line-2', '{"type":"line-stop"}', 404, 'line-unknown'],
  ['line-1', 'line-stop', 400, 'event-malformed'],
  ['line-1', '["line-stop"]', 400, 'event-malformed'],
  ['line-1', '{}', 400, 'event-malformed'],
  ['line-1', '{"type":""}', 400, 'event-malformed'],
  ['line-1', '{"type":"line-stop","timestamp":"2026-01-05T00:00:00Z"}', 400, 'event-malformed'],
  ['line-1', '{"type":"line-stop","timestamp":2001}', 400, 'event-malformed'],
  ['line-1', '{"type":"line-stop","deviceId":"press-07"}', 400, 'event-malformed'],
  ['line-1', `{"type":"line-stop","detail":"${'x'.repeat(4096)}"}`, 413, 'body-too-large'],
])('of %s, %s is refused with %i %s, and nothing is written', async (line, body, status, code) => {
  const { url, appended } = await start()
  expect(await answerOf(await post(`${url}/${line}/events`, body))).toMatchObject([status, { code }])
  expect(appended).toEqual([])
})

test('where there are no lines, none is known', async () => {
  const { url } = await start(false)
  expect(await answerOf(await fetch(url))).toEqual([200, { lines: [] }])
  expect((await post(`${url}/line-1/events`, '{"type":"line-stop"}')).status).toBe(404)
})
