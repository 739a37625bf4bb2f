import type { FastifyInstance } from 'fastify'
import type { EventStream } from './event-stream.ts'
import { openMetricsOf, openMetricsType, prefersOpenMetrics, prometheusType } from './exposition.ts'
import openApi from './openapi.json' with { type: 'json' }
import type { PlantView } from './options.ts'
import { RequestRefusedError } from './problem.ts'
import { statusPage } from './status-page.ts'

/** Adds the routes by which the plant is watched: by people, by probes, by Prometheus, by subscribers of alerts. */
export function addObservationRoutes(
  app: FastifyInstance,
  { plant, stream, headers }: { plant: PlantView; stream: EventStream; headers: Readonly<Record<string, string>> },
): void {
  app.get('/', (_request, reply) => {
    const page = statusPage()
    return reply
      .header('content-security-policy', page.contentSecurityPolicy)
      .type('text/html; charset=utf-8')
      .send(page.html)
  })

  app.get('/healthz', (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'))

  app.get('/readyz', async (_request, reply) => {
    const reason = await plant.notReady()
    if (reason === null) return reply.type('text/plain; charset=utf-8').send('ready\n')
    throw new RequestRefusedError({
      status: 503,
      code: 'not-ready',
      title: 'The plant does not take readings now',
      detail: reason,
      retryAfterS: 1,
    })
  })

  app.get('/metrics', async (request, reply) => {
    const text = await plant.metrics()
    return prefersOpenMetrics(request.headers.accept)
      ? reply.type(openMetricsType).send(openMetricsOf(text))
      : reply.type(prometheusType).send(text)
  })

  app.get('/api/status', () => plant.status())

  app.get('/api/model', () => {
    const report = plant.model?.() ?? null
    if (report !== null) return report
    throw new RequestRefusedError({
      status: 503,
      code: 'not-watched',
      title: 'Nothing is known of the model yet',
      detail: 'The watcher has read nothing so far, or does not run here.',
      retryAfterS: 10,
    })
  })

  app.get('/api/openapi.json', () => openApi)

  app.get<{ Querystring: { only?: string; lastEventId?: string } }>(
    '/api/events',
    { exposeHeadRoute: false },
    (request, reply) => {
      const { only, lastEventId } = request.query
      if (only !== undefined && only !== 'high-risk') throw wrongFilter(only)
      const header = request.headers['last-event-id']
      const options = {
        lastEventId: typeof header === 'string' ? header : (lastEventId ?? null),
        highRiskOnly: only === 'high-risk',
        headers,
      }
      // From here on the answer is the stream's; an error before it has begun is answered like any other.
      stream.open(reply.raw, options)
      reply.hijack()
    },
  )
}

function wrongFilter(found: string): RequestRefusedError {
  return new RequestRefusedError({
    status: 400,
    code: 'query-malformed',
    title: 'The query cannot be read',
    detail: `found only="${found.slice(0, 100)}", wanted only=high-risk or nothing`,
  })
}
