import { limits, type PartitionLines } from '@millwright/core'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Admission } from '../door/admission.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Counters } from './counters.ts'
import { jsonLines } from './json-lines.ts'
import type { HttpGatewayOptions } from './options.ts'
import { RequestRefusedError } from './problem.ts'
import { readBody } from './request-body.ts'

/** Bodies that are lines whatever they hold, and bodies whose first byte says whether they are lines, an array or one object. */
const lineTypes = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']
const jsonTypes = ['application/json', 'text/plain']

/** Adds the routes by which readings and device events come in. */
export function addIngestRoutes(
  app: FastifyInstance,
  { door, ingest }: Pick<HttpGatewayOptions, 'door' | 'ingest'>,
  {
    budget,
    memory,
    counters,
  }: { readonly budget: ByteBudget; readonly memory: MemoryPool; readonly counters: Counters },
): void {
  app.post('/api/readings', (request, reply) => take(request, reply, 'sensor-data', (lines) => door.readings(lines)))
  app.post('/api/events', (request, reply) =>
    take(request, reply, 'device-events', (lines) => door.deviceEvents(lines)),
  )

  async function take(
    request: FastifyRequest,
    reply: FastifyReply,
    topic: 'sensor-data' | 'device-events',
    admit: (lines: Uint8Array) => Admission,
  ): Promise<FastifyReply> {
    const asLines = linesOf(request)
    const body = await readBody(request.raw, { bytesMax: limits.requestBytesMax, budget, memory })
    let admission: Admission
    try {
      const { bytes } = body
      counters.add('http_received_bytes_total', {}, bytes.byteLength)
      admission = admit(asLines(bytes))
      // Answered only when all of it is on stable storage; if it is refused, none of it is.
      await appendAll(topic, admission.parts)
    } finally {
      body.release()
    }
    admission.release()
    counters.add('http_accepted_total', { topic }, admission.acceptedCount)
    counters.add('http_refused_total', { topic }, admission.refusedCount)
    return reply.code(202).type('application/json; charset=utf-8').send(answerOf(admission))
  }

  async function appendAll(topic: 'sensor-data' | 'device-events', parts: readonly PartitionLines[]): Promise<void> {
    if (parts.length > 0) await ingest.append(topic, parts)
  }
}

function answerOf({ acceptedCount, refused, refusedCount }: Admission): string {
  const answer = { accepted: acceptedCount, rejected: refused }
  return JSON.stringify(refused.length === refusedCount ? answer : { ...answer, rejectedCount: refusedCount })
}

/**
 * Says how the body of a request is read as lines of JSON.
 *
 * @throws {RequestRefusedError} As {@link mediaTypeOf}.
 */
export function linesOf(request: FastifyRequest): (body: Uint8Array) => Uint8Array {
  return lineTypes.includes(mediaTypeOf(request)) ? (body) => body : jsonLines
}

/** @throws {RequestRefusedError} 415 when the body is said to be something else, or in another encoding than UTF-8. */
function mediaTypeOf(request: FastifyRequest): string {
  const found = request.headers['content-type'] ?? ''
  const [mediaType = '', ...parameters] = found
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '')
  const known = [...lineTypes, ...jsonTypes].includes(mediaType)
  if (known && (charset === undefined || charset === 'utf-8' || charset === 'us-ascii')) return mediaType
  request.raw.resume()
  throw new RequestRefusedError({
    status: 415,
    code: 'content-type-unsupported',
    title: 'The content type is not supported',
    detail: `found content-type "${found.slice(0, 200)}", wanted application/x-ndjson or application/json in UTF-8`,
  })
}
