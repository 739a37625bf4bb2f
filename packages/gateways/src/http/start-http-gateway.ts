import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type DurationCounts, DurationHistogram, limits } from '@millwright/core'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { createMemoryPool } from '../memory-pool.ts'
import { createByteBudget } from './byte-budget.ts'
import { addCaseRoutes } from './case-routes.ts'
import { createCounters } from './counters.ts'
import { addDeliveryRoutes } from './delivery-routes.ts'
import { createEventStream } from './event-stream.ts'
import { addFeedbackRoutes } from './feedback-routes.ts'
import { createGuard } from './guard.ts'
import { addIngestRoutes } from './ingest-routes.ts'
import { createLimitedServer } from './limited-server.ts'
import { addLineRoutes } from './line-routes.ts'
import { cannotListen, type ListenAddress, listenAddress } from './listen-rules.ts'
import { addModelRoutes } from './model-routes.ts'
import { addObservationRoutes } from './observation-routes.ts'
import type { HttpGatewayOptions } from './options.ts'
import {
  clientErrorProblem,
  internalProblem,
  type Problem,
  problemBody,
  problemOf,
  problemType,
  RequestRefusedError,
} from './problem.ts'

/** A gateway that listens. */
export interface HttpGateway {
  /** Where it can be reached from this machine, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Monotone counts of what came over HTTP. */
  counters(): Record<string, number>
  /** What is so now, and how long requests took. */
  stats(): HttpGatewayStats
  /** The routes that are served, `METHOD path`, with `{name}` for what varies, sorted. */
  readonly routes: readonly string[]
  /** Stops taking connections, lets requests in flight end (for `closeGraceMs`), ends the streams. */
  close(): Promise<void>
}

export interface HttpGatewayStats {
  /** Requests that were not answered yet, without streams. */
  readonly requestsInFlight: number
  readonly eventStreams: number
  /** By route, from the first byte of a request's head to the last of its answer; streams are not in it. */
  readonly requestDurations: ReadonlyMap<string, DurationCounts>
}

/** Of a path's part: the longest id of a case, each byte of it percent-encoded. */
const caseIdCharactersMax = 3 * limits.caseIdBytesMax
const closeGraceMsDefault = 3000
const heartbeatMsDefault = 15_000

/** On every answer: nothing here is for other pages to show, to keep or to guess at. */
const commonHeaders = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

/**
 * Starts the HTTP side of the plant; docs/guide/http.md says what it serves.
 *
 * @throws {ConfigurationError} When it may not listen there by its rules, or cannot (the port is taken, the certificate
 * is none).
 */
export async function startHttpGateway(options: HttpGatewayOptions): Promise<HttpGateway> {
  const address = listenAddress(options)
  const onError = options.onError ?? (() => undefined)
  const counters = createCounters()
  const app = createApp(options, address)
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const each of [method].flat()) if (each !== 'HEAD') routes.push(`${each} ${url.replaceAll(/:(\w+)/g, '{$1}')}`)
  })

  let closing = false
  const guard = createGuard({ hostNames: [...address.ownNames, ...(options.hostNames ?? [])], scheme: address.scheme })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(commonHeaders)
    guard.check(request.raw)
    if (closing) throw stopping()
  })
  app.addHook('onSend', async (_request, reply) => {
    // A connection that is kept open would keep `close` waiting after the last answer.
    if (closing) reply.header('connection', 'close')
  })
  const inFlight = new Set<FastifyRequest>()
  const durations = new Map<string, DurationHistogram>()
  app.addHook('onRequest', async (request, reply) => {
    if (isStream(request)) return
    inFlight.add(request)
    reply.raw.once('close', () => inFlight.delete(request))
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    counters.add('http_requests_total', { route, status: String(reply.statusCode) })
    if (isStream(request)) return
    const duration = durations.get(route) ?? new DurationHistogram()
    durations.set(route, duration)
    duration.add(reply.elapsedTime)
  })
  // No body is parsed before its route asks for it: lines are read as bytes, and only as many as the route allows. (The
  // framework's own way to a body holds each one past its answer, which cost as much again as decoding it.)
  app.removeAllContentTypeParsers()
  app.addHttpMethod('POST', { hasBody: false, overrideExisting: true })
  refuseByProblem(app, onError, (code) => counters.add('http_problems_total', { code }))

  const stream = createEventStream({
    feed: options.alerts,
    counters,
    heartbeatMs: options.heartbeatMs ?? heartbeatMsDefault,
    onError: (error) => onError(error, 'the stream of alerts'),
  })
  const use = { budget: createByteBudget(limits.requestBytesInFlightMax), memory: createMemoryPool(), counters }
  addIngestRoutes(app, options, use)
  addFeedbackRoutes(app, options, use)
  addModelRoutes(app, options.models)
  addCaseRoutes(app, { desk: options.cases ?? null, verdictsUntilMs: options.verdictsUntilMs }, use)
  addDeliveryRoutes(app, options.deliveries ?? null, use)
  addLineRoutes(app, options.lineEvents ?? null, use)
  addObservationRoutes(app, { plant: options.plant, stream, headers: commonHeaders })

  try {
    await app.listen({ host: address.host, port: address.port })
  } catch (error) {
    stream.close()
    await app.close()
    throw cannotListen(address, error)
  }
  const { port } = app.server.address() as AddressInfo
  return {
    url: `${address.scheme}://${reachableHost(address.host)}:${port}`,
    port,
    routes: routes.sort(),
    counters: () => counters.read(),
    stats: () => ({
      requestsInFlight: inFlight.size,
      eventStreams: stream.clientCount,
      requestDurations: new Map([...durations].map(([route, duration]) => [route, duration.read()])),
    }),
    async close() {
      closing = true
      stream.close()
      const cutOff = setTimeout(() => app.server.closeAllConnections(), options.closeGraceMs ?? closeGraceMsDefault)
      await app.close()
      clearTimeout(cutOff)
    },
  }
}

function createApp({ tls }: HttpGatewayOptions, address: ListenAddress): FastifyInstance {
  return Fastify({
    routerOptions: { maxParamLength: caseIdCharactersMax },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    serverFactory: (handler): Server => {
      try {
        return createLimitedServer(handler, tls)
      } catch (error) {
        throw cannotListen(address, error)
      }
    },
  }) as FastifyInstance
}

/** Every answer that refuses is a problem document, whoever refuses. */
function refuseByProblem(
  app: FastifyInstance,
  onError: (error: unknown, where: string) => void,
  onProblem: (code: string) => void,
): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const problem = problemOf(error) ?? frameworkProblem(error)
    if (problem === null) onError(error, `${request.method} ${request.routeOptions.url ?? request.url}`)
    const { status, retryAfterS, code } = problem ?? internalProblem
    onProblem(code)
    if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
    return reply
      .code(status)
      .type(problemType)
      .send(problemBody(problem ?? internalProblem))
  })
  app.setNotFoundHandler((request, reply) => {
    request.raw.resume()
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = (['GET', 'POST'] as const).filter((method) => app.hasRoute({ method, url: path }))
    const problem: Problem =
      allowed.length === 0
        ? { status: 404, code: 'not-found', title: 'Not Found', detail: `There is nothing at ${path.slice(0, 200)}.` }
        : {
            status: 405,
            code: 'method-not-allowed',
            title: 'Method Not Allowed',
            detail: `found ${request.method}, wanted ${allowed.join(' or ')}`,
          }
    onProblem(problem.code)
    if (allowed.length > 0) reply.header('allow', allowed.join(', '))
    return reply.code(problem.status).type(problemType).send(problemBody(problem))
  })
}

/** A stream lasts as long as its client wants; it is no request that waits for its answer. */
function isStream({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'GET' && routeOptions.url === '/api/events'
}

/** For connections that were open when `close` began. */
function stopping(): RequestRefusedError {
  const detail = 'The plant is being stopped and takes no new requests.'
  return new RequestRefusedError({
    status: 503,
    code: 'closing',
    title: 'The plant is stopping',
    detail,
    retryAfterS: 5,
  })
}

/** What the framework itself refuses: a URL or a header that cannot be read. */
function frameworkProblem(error: unknown): Problem | null {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return null
  const { statusCode: status, message } = error
  if (status < 400 || status >= 500) return null
  return { status, code: 'request-malformed', title: 'The request cannot be read', detail: message }
}

function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy(error)
    return
  }
  const problem = clientErrorProblem(error)
  const body = problemBody(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** An address to connect to where the gateway listens on all of them. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
