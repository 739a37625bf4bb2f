import type { FastifyInstance } from 'fastify'
import { EventRefusedError, type LineEvents, LineUnknownError, type SharedEvent } from '../door/line-events.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import { RequestRefusedError } from './problem.ts'
import { readBody } from './request-body.ts'

/** Each machine's record has the detail: a thousand times as much is written. */
const eventBytesMax = 4096

/** Adds the routes by which an event of all machines of a line is told at once. @param events `null` where nothing can be written. */
export function addLineRoutes(
  app: FastifyInstance,
  events: LineEvents | null,
  use: { readonly budget: ByteBudget; readonly memory: MemoryPool },
): void {
  app.get('/api/lines', async () => ({ lines: events?.lines ?? [] }))

  app.post<{ Params: { line: string } }>('/api/lines/:line/events', async (request, reply) => {
    const { line } = request.params
    const body = await readBody(request.raw, { ...use, bytesMax: eventBytesMax })
    let event: SharedEvent
    try {
      event = eventOf(body.bytes)
    } finally {
      body.release()
    }
    if (events === null) throw unknownLine('There are no lines here')
    try {
      return await reply.code(202).send({ line, ...(await events.write({ line }, event)) })
    } catch (error) {
      if (error instanceof LineUnknownError) throw unknownLine(error.message, error)
      if (error instanceof EventRefusedError) throw wrongEvent(error.message, error)
      throw error
    }
  })
}

/** @throws {RequestRefusedError} Where the body is no event. */
function eventOf(bytes: Uint8Array): SharedEvent {
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw wrongEvent('the event: wanted JSON in UTF-8', error)
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw wrongEvent('the event: wanted one JSON object with a type')
  const { type, timestamp = null, detail = null, ...others } = document as Readonly<Record<string, unknown>>
  const [other] = Object.keys(others)
  if (other !== undefined) throw wrongEvent(`${other.slice(0, 100)}: wanted type, timestamp and detail alone`)
  if (typeof type !== 'string') throw wrongEvent('type: wanted text such as "line-stop"')
  if (timestamp !== null && typeof timestamp !== 'number')
    throw wrongEvent('timestamp: wanted whole epoch milliseconds, or none for now')
  return { type, timestamp, detail }
}

function unknownLine(detail: string, cause?: unknown): RequestRefusedError {
  return new RequestRefusedError({ status: 404, code: 'line-unknown', title: 'There is no such line', detail }, cause)
}

function wrongEvent(detail: string, cause?: unknown): RequestRefusedError {
  return new RequestRefusedError(
    { status: 400, code: 'event-malformed', title: 'The event cannot be written', detail },
    cause,
  )
}
