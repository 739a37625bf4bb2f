import type { ServerResponse } from 'node:http'
import { isHeartbeatRecord, limits } from '@millwright/core'
import { type AlertEvent, type AlertFeed, formatPlace, parsePlace } from './alert-feed.ts'
import type { Counters } from './counters.ts'
import { RequestRefusedError } from './problem.ts'

/**
 * Alerts as server-sent events, to a few clients.
 *
 * E1 A client gets each record at most once, and those of a partition in their order.
 * E2 A client that names a place gets every record from there on: what was is read in rounds until nothing is left, and
 *    only then, within one turn, does it join those who are told as records come. So there is no gap and no doubling.
 * E3 At most `eventStreamBytesMax` wait for a client. One that is further behind is dropped, counted, and may come back
 *    with the place it had reached; nobody else waits for it.
 * E4 At most `eventStreamClientsMax` clients.
 * E5 The plant's own heartbeat is no machine: no client is told of it.
 */
export interface EventStream {
  /**
   * Answers with the stream, which lasts until the client goes or `close` is called.
   *
   * @param options.lastEventId Place from which the client wants to go on; `null` for what comes from now on.
   * @param options.highRiskOnly Leaves out the windows that were scored as normal.
   * @throws {RequestRefusedError} 503 by E4.
   */
  open(
    response: ServerResponse,
    options: { readonly lastEventId: string | null; readonly highRiskOnly: boolean; readonly headers: Headers },
  ): void
  readonly clientCount: number
  /** Ends every stream. */
  close(): void
}

type Headers = Readonly<Record<string, string>>

interface Client {
  readonly response: ServerResponse
  readonly highRiskOnly: boolean
  readonly abort: AbortController
  /** Offsets of the next record of each partition that this client has not got. */
  readonly next: number[]
  /** Told as records come; before that, it is reading what was (E2). */
  live: boolean
}

/** Milliseconds after which a browser tries again. */
const reconnectMs = 2000
const highRisk = '"status":"High risk of failure"'

/**
 * @param options.heartbeatMs Between comments that keep idle connections open, and find those that are dead.
 * @param options.onError Told when the feed failed while a client read what was; the client is dropped.
 */
export function createEventStream(options: {
  readonly feed: AlertFeed
  readonly counters: Counters
  readonly heartbeatMs: number
  readonly onError: (error: unknown) => void
}): EventStream {
  const { feed, counters, onError } = options
  const clients = new Set<Client>()
  /** Offsets of the next record of each partition that was not told yet. */
  const told = [...feed.ends()]
  const unsubscribe = feed.subscribe(publish)
  const heartbeat = setInterval(() => {
    for (const client of clients) write(client, ':\n\n')
  }, options.heartbeatMs)
  heartbeat.unref()

  function publish(events: readonly AlertEvent[]): void {
    for (const { partition, offset } of events) told[partition] = Math.max(told[partition] ?? 0, offset + 1)
    for (const client of clients) if (client.live) write(client, framesOf(client, events))
  }

  /** Notes that a client has these records, and returns what it is sent of them. */
  function framesOf(client: Client, events: readonly AlertEvent[]): string {
    let frames = ''
    for (const { partition, offset, line } of events) {
      if (offset < (client.next[partition] ?? 0)) continue
      client.next[partition] = offset + 1
      if (isHeartbeatRecord(line) || (client.highRiskOnly && !line.includes(highRisk))) continue
      frames += `id: ${formatPlace(client.next)}\nevent: alert\ndata: ${line}\n\n`
    }
    return frames
  }

  function write(client: Client, frames: string): void {
    if (frames === '' || client.response.destroyed) return
    // E3. The response counts what the connection has not taken yet.
    if (client.response.writableLength + frames.length > limits.eventStreamBytesMax) drop(client, 'slow')
    else client.response.write(frames)
  }

  function drop(client: Client, reason: 'slow' | 'failed'): void {
    counters.add('http_event_streams_dropped_total', { reason })
    client.response.destroy()
    remove(client)
  }

  function remove(client: Client): void {
    clients.delete(client)
    client.abort.abort()
  }

  /** E2. Each round ends where the feed ended when it began; rounds get shorter as the client gets closer. */
  async function catchUp(client: Client): Promise<void> {
    const { abort, response } = client
    while (client.next.some((offset, partition) => offset < (told[partition] ?? 0))) {
      const ends = feed.ends()
      for await (const event of feed.read([...client.next], abort.signal)) {
        if (abort.signal.aborted) return
        write(client, framesOf(client, [event]))
        if (response.writableNeedDrain) await drained(response, abort.signal)
      }
      if (abort.signal.aborted) return
      // Records that retention has taken leave gaps, which are passed over.
      for (const [partition, end] of ends.entries()) client.next[partition] = Math.max(client.next[partition] ?? 0, end)
    }
    client.live = true
  }

  return {
    get clientCount() {
      return clients.size
    },
    open(response, { lastEventId, highRiskOnly, headers }) {
      if (clients.size >= limits.eventStreamClientsMax) throw tooManyClients()
      const place = lastEventId === null ? null : parsePlace(lastEventId, told)
      const client: Client = {
        response,
        highRiskOnly,
        abort: new AbortController(),
        next: place ?? [...told],
        live: false,
      }
      clients.add(client)
      response.on('close', () => remove(client))
      // What is written after the other side has gone fails; `close` follows and says all there is to say.
      response.on('error', () => remove(client))
      // The connection ends with the stream: nothing else is to come on it.
      const type = 'text/event-stream; charset=utf-8'
      response.writeHead(200, { ...headers, 'content-type': type, connection: 'close' })
      write(client, `retry: ${reconnectMs}\nid: ${formatPlace(client.next)}\n\n`)
      if (lastEventId !== null && place === null)
        write(client, 'event: reset\ndata: {"reason":"the place is not one of this plant; the stream begins now"}\n\n')
      catchUp(client).catch((error: unknown) => {
        if (client.abort.signal.aborted) return
        onError(error)
        drop(client, 'failed')
      })
    },
    close() {
      clearInterval(heartbeat)
      unsubscribe()
      for (const client of clients) {
        client.response.end()
        remove(client)
      }
    },
  }
}

/** Resolves when a response takes more, or when there is no use in waiting. */
function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    response.on('drain', done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

function tooManyClients(): RequestRefusedError {
  return new RequestRefusedError({
    status: 503,
    code: 'streams-full',
    title: 'Too many streams are open',
    detail: `The plant serves at most ${limits.eventStreamClientsMax} streams of alerts at once.`,
    retryAfterS: 10,
  })
}
