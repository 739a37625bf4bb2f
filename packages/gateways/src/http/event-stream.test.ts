/** Method: the stream behind a real server, clients that read it over loopback, and a feed that can be slow or fail. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { heartbeatDevicePrefix, limits } from '@millwright/core'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { AlertEvent, AlertFeed } from './alert-feed.ts'
import { createCounters } from './counters.ts'
import { createEventStream, type EventStream } from './event-stream.ts'

const normal = (n: number): string => `{"n":${n},"status":"Normal"}`
const high = (n: number): string => `{"n":${n},"status":"High risk of failure"}`

/** Records of two partitions; `read` lets others run between any two records, `lose` is retention. */
function memoryFeed() {
  const records: AlertEvent[][] = [[], []]
  const listeners = new Set<(events: readonly AlertEvent[]) => void>()
  const state = { failing: false, oldest: [0, 0] }
  const feed: AlertFeed = {
    ends: () => records.map((partition) => partition.length),
    async *read(from) {
      const some = records.flatMap((partition, p) => partition.slice(Math.max(from[p] ?? 0, state.oldest[p] ?? 0)))
      for (const event of some) {
        await new Promise((resolve) => setImmediate(resolve))
        if (state.failing) throw new Error('the disk fails')
        yield event
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const append = (...some: readonly { partition: number; line: string }[]): void => {
    const events = some.map(({ partition, line }) => {
      const event = { partition, line, offset: records[partition]?.length ?? 0 }
      records[partition]?.push(event)
      return event
    })
    for (const listener of listeners) listener(events)
  }
  return { feed, append, state, records, listeners }
}

const open: { server: Server; stream: EventStream }[] = []
afterEach(() => {
  for (const { server, stream } of open.splice(0)) {
    stream.close()
    server.close().closeAllConnections()
  }
})

async function serve(heartbeatMs = 60_000) {
  const memory = memoryFeed()
  const counters = createCounters()
  const errors: unknown[] = []
  const stream = createEventStream({ feed: memory.feed, counters, heartbeatMs, onError: (error) => errors.push(error) })
  const refusals: unknown[] = []
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost')
    try {
      stream.open(response, {
        lastEventId: searchParams.get('from'),
        highRiskOnly: searchParams.has('high'),
        headers: { 'x-test': 'yes' },
      })
    } catch (error) {
      refusals.push(error)
      response.writeHead(503).end()
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  open.push({ server, stream })
  const { port } = server.address() as AddressInfo
  return { ...memory, stream, counters, errors, refusals, port, url: `http://127.0.0.1:${port}` }
}

interface Frame {
  readonly id?: string
  readonly event?: string
  readonly data?: string
}

/** Opens a stream; `next` resolves with its next frame, `null` at the end. */
async function subscribe(url: string) {
  const abort = new AbortController()
  const response = await fetch(url, { signal: abort.signal })
  const chunks = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  let text = ''
  const next = async (): Promise<Frame | null> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const fields = text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(': ') as [string, string])
        text = text.slice(end + 2)
        return Object.fromEntries(fields.map(([name, ...value]) => [name, value.join(': ')]))
      }
      const chunk = await chunks?.next().catch(() => ({ done: true as const, value: undefined }))
      if (chunk === undefined || chunk.done) return null
      text += chunk.value
    }
  }
  const first = await next()
  return { next, first, response, close: () => abort.abort() }
}

describe('createEventStream()', () => {
  test("tells nobody of the plant's own heartbeat, and goes on after it (E5)", async () => {
    const { url, append } = await serve()
    const client = await subscribe(url)
    append(
      { partition: 0, line: `{"deviceId":"${heartbeatDevicePrefix}1-1/0",${high(0).slice(1)}` },
      { partition: 0, line: high(1) },
    )
    expect((await client.next())?.data).toBe(high(1))
    client.close()
  })

  test('tells clients of records as they come, with the place after each', async () => {
    const { url, append } = await serve()
    append({ partition: 1, line: normal(0) })
    const client = await subscribe(url)
    expect(client.first).toEqual({ retry: '2000', id: '0.1' })
    expect(client.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(client.response.headers.get('x-test')).toBe('yes')
    append({ partition: 0, line: normal(1) }, { partition: 1, line: high(2) })
    expect(await client.next()).toEqual({ id: '1.1', event: 'alert', data: normal(1) })
    expect(await client.next()).toEqual({ id: '1.2', event: 'alert', data: high(2) })
  })

  test('leaves out normal windows where asked, and counts them in the place all the same', async () => {
    const { url, append } = await serve()
    const client = await subscribe(`${url}/?high`)
    append({ partition: 0, line: normal(1) }, { partition: 0, line: high(2) })
    expect(await client.next()).toEqual({ id: '2.0', event: 'alert', data: high(2) })
  })

  test('gives every record once and in order to clients that come and go at any moment (E1, E2)', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), partition: fc.integer({ min: 0, max: 1 }) }),
      fc.constant({ kind: 'reconnect' as const }),
      fc.record({ kind: fc.constant('receive' as const), count: fc.integer({ min: 1, max: 3 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const { url, append, records } = await serve()
        const got: string[] = []
        let appended = 0
        let place = '0.0'
        let client = await subscribe(`${url}/?from=${place}`)
        const receive = async (): Promise<void> => {
          const frame = await client.next()
          got.push(frame?.data ?? 'the end')
          place = frame?.id ?? place
        }
        for (const each of steps) {
          if (each.kind === 'append') append({ partition: each.partition, line: normal(appended++) })
          else if (each.kind === 'receive') {
            for (let i = 0; i < each.count && got.length < appended; i++) await receive()
          } else {
            client.close()
            client = await subscribe(`${url}/?from=${place}`)
          }
        }
        while (got.length < appended) await receive()
        for (const partition of records) {
          const lines = partition.map(({ line }) => line)
          expect(got.filter((line) => lines.includes(line))).toEqual(lines)
        }
        expect(new Set(got).size).toBe(got.length)
        client.close()
      }),
      { numRuns: 60, seed: 91 },
    )
  })

  test('sends a record once, also if the feed tells of it twice (E1)', async () => {
    const { url, append, listeners, records } = await serve()
    const client = await subscribe(url)
    append({ partition: 0, line: normal(0) })
    for (const listener of listeners) listener(records[0] ?? [])
    append({ partition: 0, line: normal(1) })
    expect((await client.next())?.data).toBe(normal(0))
    expect((await client.next())?.data).toBe(normal(1))
  })

  test('begins anew, and says so, from a place that is not of this plant', async () => {
    const { url, append } = await serve()
    append({ partition: 0, line: normal(0) })
    for (const place of ['x', '1', '1.0.0', '2.0', '-1.0', '1e1.0', '']) {
      const client = await subscribe(`${url}/?from=${encodeURIComponent(place)}`)
      expect(client.first?.id).toBe('1.0')
      expect((await client.next())?.event).toBe('reset')
      client.close()
    }
  })

  test('passes over records that retention has taken (E2)', async () => {
    const { url, append, state } = await serve()
    for (let n = 0; n < 5; n++) append({ partition: 0, line: normal(n) })
    state.oldest = [5, 0]
    const client = await subscribe(`${url}/?from=1.0`)
    append({ partition: 1, line: normal(7) })
    expect(await client.next()).toEqual({ id: '5.1', event: 'alert', data: normal(7) })
  })

  test('drops a client that does not read, counts it, and serves the others (E3)', async () => {
    const { url, port, append, counters, stream } = await serve()
    const slow = connect(port, '127.0.0.1').pause()
    slow.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const reader = await subscribe(url)
    while (stream.clientCount < 2) await fetch(`${url}/?from=0.0`).then((response) => response.body?.cancel())
    const line = `{"padding":"${'x'.repeat(100_000)}"}`
    const dropped = (): number => counters.read()['http_event_streams_dropped_total{reason="slow"}'] ?? 0
    let sent = 0
    while (dropped() === 0) {
      append({ partition: 0, line })
      sent++
      expect((await reader.next())?.data).toBe(line)
    }
    // Whatever the system's own buffers take, the bound is ours.
    expect(sent * line.length).toBeGreaterThan(limits.eventStreamBytesMax / 2)
    expect(dropped()).toBe(1)
    append({ partition: 1, line: normal(1) })
    expect((await reader.next())?.data).toBe(normal(1))
    slow.destroy()
  })

  test('drops a client whose past cannot be read, and says why to the log', async () => {
    const { url, append, state, errors, counters } = await serve()
    append({ partition: 0, line: normal(0) })
    state.failing = true
    const client = await subscribe(`${url}/?from=0.0`)
    expect(await client.next()).toBeNull()
    expect(errors).toMatchObject([{ message: 'the disk fails' }])
    expect(counters.read()['http_event_streams_dropped_total{reason="failed"}']).toBe(1)
  })

  test('serves at most so many (E4), and forgets those that go', async () => {
    const { url, stream, refusals } = await serve()
    const clients = []
    for (let i = 0; i < limits.eventStreamClientsMax; i++) clients.push(await subscribe(url))
    expect((await fetch(url)).status).toBe(503)
    expect(refusals).toMatchObject([{ problem: { code: 'streams-full' } }])
    for (const client of clients) client.close()
    while (stream.clientCount > 0) await new Promise((resolve) => setImmediate(resolve))
    expect((await subscribe(url)).first).toMatchObject({ id: '0.0' })
  })

  test('keeps idle connections alive with comments, and ends all at close', async () => {
    const { url, stream, listeners } = await serve(1)
    const client = await subscribe(url)
    expect(await client.next()).toEqual({ ':': '' })
    stream.close()
    for (let frame = await client.next(); frame !== null; frame = await client.next());
    expect(stream.clientCount).toBe(0)
    expect(listeners.size).toBe(0)
  })
})
