import { limits, type PartitionLines } from '@millwright/core'
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

async function start(hasLines = true): Promise<{ url: string; devicesUrl: string; appended: string[] }> {
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
  return { url: `${gateway.url}/api/lines`, devicesUrl: `${gateway.url}/api/devices/events`, appended }
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

test('POST /api/devices/events writes the event of each machine that is named, once', async () => {
  const { devicesUrl, appended } = await start()
  const event = { devices: ['press-9', 'press-07', 'press-9'], type: 'line-stop', timestamp: 1000 }
  const written = { type: 'line-stop', timestamp: 1000, devices: 2, used: true }
  expect(await answerOf(await post(devicesUrl, JSON.stringify(event)))).toEqual([202, written])
  expect(appended).toEqual(
    ['press-9', 'press-07'].map((deviceId) => `{"deviceId":"${deviceId}","timestamp":1000,"type":"line-stop"}`),
  )
})

test('POST /api/devices/events takes as many machines as there may be, their ids as long as they may be', async () => {
  const { devicesUrl, appended } = await start()
  const escaped = Array.from({ length: limits.lineDevicesMax }, (_, i) => `${'\\u0061'.repeat(250)}-${i}`)
  const body = `{"devices":["${escaped.join('","')}"],"type":"line-stop","timestamp":1000}`
  expect((await post(devicesUrl, body)).status).toBe(202)
  expect(appended).toHaveLength(limits.lineDevicesMax)
})

test.each([
  ['no machines', '{"type":"line-stop"}', 'devices: wanted an array'],
  ['none of them', '{"devices":[],"type":"line-stop"}', 'devices: found 0'],
  ['a machine that is no text', '{"devices":["press-07",8],"type":"line-stop"}', 'devices: wanted an array'],
  ['one without an id', '{"devices":["press-07",""],"type":"line-stop"}', 'deviceId'],
  ['a time ahead', '{"devices":["press-07"],"type":"line-stop","timestamp":2001}', 'timestamp: found 2001'],
  ['no type', '{"devices":["press-07"]}', 'type: wanted text'],
  ['a long detail', `{"devices":["press-07"],"type":"x","detail":"${'x'.repeat(4096)}"}`, 'at most 4096 bytes'],
  ['a deep one', `{"devices":["press-07"],"type":"x","detail":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 'at most 4096'],
  ['a line', '{"devices":["press-07"],"line":"line-1","type":"line-stop"}', 'line: wanted type'],
])('an event of machines with %s is refused, and nothing is written of any', async (_, body, said) => {
  const { devicesUrl, appended } = await start()
  const wanted = { code: 'event-malformed', detail: expect.stringContaining(said) }
  expect(await answerOf(await post(devicesUrl, body))).toMatchObject([400, wanted])
  expect(appended).toEqual([])
})
