import { limits } from '@millwright/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  EventRefusedError,
  type EventTarget,
  type LineEvents,
  LineUnknownError,
  type SharedEvent,
  type WrittenEvent,
} from '../door/line-events.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import { RequestRefusedError } from './problem.ts'
import { readBody } from './request-body.ts'

/** Each machine's record has the detail: a thousand times as much is written. */
const eventBytesMax = 4096
/** An id as long as one may be, each byte of it in an escape, for every machine. */
const devicesBytesMax = limits.lineDevicesMax * (6 * limits.deviceIdBytesMax + 4)

/** Adds the routes by which an event of several machines, or of all of a line, is told at once. @param events `null` where nothing can be written. */
export function addLineRoutes(
  app: FastifyInstance,
  events: LineEvents | null,
  use: { readonly budget: ByteBudget; readonly memory: MemoryPool },
): void {
  async function documentOf({ raw }: FastifyRequest, bytesMax: number): Promise<Readonly<Record<string, unknown>>> {
    const body = await readBody(raw, { ...use, bytesMax })
    try {
      return objectOf(body.bytes)
    } finally {
      body.release()
    }
  }

  app.get('/api/lines', async () => ({ lines: events?.lines ?? [] }))

  app.post<{ Params: { line: string } }>('/api/lines/:line/events', async (request, reply) => {
    const { line } = request.params
    const event = eventOf(await documentOf(request, eventBytesMax))
    if (events === null) throw unknownLine('There are no lines here')
    return await reply.code(202).send({ line, ...(await written(events, { line }, event)) })
  })

  app.post('/api/devices/events', async (request, reply) => {
    const { devices, ...fields } = await documentOf(request, devicesBytesMax + eventBytesMax)
    if (!Array.isArray(devices) || !devices.every((each) => typeof each === 'string'))
      throw wrongEvent('devices: wanted an array with the ids of machines')
    if (writtenBytes(fields) > eventBytesMax)
      throw wrongEvent(`the event: wanted at most ${eventBytesMax} bytes beside its devices`)
    const event = eventOf(fields)
    if (events === null) throw wrongEvent('Nothing can be written here')
    return await reply.code(202).send(await written(events, { devices }, event))
  })
}

/** @throws {RequestRefusedError} Where it is one that the operators would refuse, or of no line; nothing is written then. */
async function written(events: LineEvents, target: EventTarget, event: SharedEvent): Promise<WrittenEvent> {
  try {
    return await events.write(target, event)
  } catch (error) {
    if (error instanceof LineUnknownError) throw unknownLine(error.message, error)
    if (error instanceof EventRefusedError) throw wrongEvent(error.message, error)
    throw error
  }
}

/** As JSON, in UTF-8. What is nested too deep for the stack, as parsing it does not recurse, is too long as well. */
function writtenBytes(document: object): number {
  try {
    return Buffer.byteLength(JSON.stringify(document))
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** @throws {RequestRefusedError} Where the body is no JSON object. */
function objectOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw wrongEvent('the event: wanted JSON in UTF-8', error)
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw wrongEvent('the event: wanted one JSON object with a type')
  return document as Readonly<Record<string, unknown>>
}

/** @throws {RequestRefusedError} Where it is no event. */
function eventOf({ type, timestamp = null, detail = null, ...others }: Readonly<Record<string, unknown>>): SharedEvent {
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
