import { type FeedbackPort, limits } from '@millwright/core'
import type { FastifyInstance } from 'fastify'
import { admitFeedback } from '../door/feedback.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Counters } from './counters.ts'
import { linesOf } from './ingest-routes.ts'
import { readBody } from './request-body.ts'

/** Adds the route by which verdicts come in. */
export function addFeedbackRoutes(
  app: FastifyInstance,
  { feedback, verdictsUntilMs }: { readonly feedback: FeedbackPort; readonly verdictsUntilMs: () => number },
  use: { readonly budget: ByteBudget; readonly memory: MemoryPool; readonly counters: Counters },
): void {
  const { budget, memory, counters } = use
  const topic = 'maintenance-feedback'
  app.post('/api/feedback', async (request, reply) => {
    const asLines = linesOf(request)
    const body = await readBody(request.raw, { bytesMax: limits.feedbackRequestBytesMax, budget, memory })
    let admission: ReturnType<typeof admitFeedback>
    try {
      counters.add('http_received_bytes_total', {}, body.bytes.byteLength)
      admission = admitFeedback(asLines(body.bytes), verdictsUntilMs())
    } finally {
      body.release()
    }
    const { accepted, refused, refusals } = admission
    // Answered only when all of it is on stable storage.
    if (accepted.length + refused.length > 0) await feedback.appendFeedback(admission)
    counters.add('http_accepted_total', { topic }, accepted.length)
    counters.add('http_refused_total', { topic }, refused.length)
    const answer = { accepted: accepted.length, rejected: refusals }
    return reply
      .code(202)
      .send(refusals.length === refused.length ? answer : { ...answer, rejectedCount: refused.length })
  })
}
