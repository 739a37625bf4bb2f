import { InvariantError, limits, MillwrightError } from '@millwright/core'
import type { FastifyInstance } from 'fastify'
import { createMemoryPool } from '../memory-pool.ts'
import { createByteBudget } from './byte-budget.ts'
import type { ModelDesk } from './options.ts'
import { problemOf, RequestRefusedError } from './problem.ts'
import { readBody } from './request-body.ts'

const commandBytesMax = 4096

/** Adds the routes by which models are listed, published and taken back. */
export function addModelRoutes(app: FastifyInstance, models: ModelDesk): void {
  // A budget of one package: a second upload beside a large one is told to come later.
  const budget = createByteBudget(limits.modelPackageBytesMax)
  const limit = { bytesMax: limits.modelPackageBytesMax, budget, memory: createMemoryPool() }

  app.get('/api/models', async () => ({ models: await models.list() }))

  app.post('/api/models', async (request, reply) => {
    if (request.headers['content-type'] !== 'application/octet-stream') {
      request.raw.resume()
      throw wrongType(request.headers['content-type'])
    }
    const body = await readBody(request.raw, limit)
    try {
      // A copy: the plant may look at its package longer than this request lasts.
      return await reply.code(201).send(await models.publish(body.bytes.slice()))
    } catch (error) {
      throw modelRefused(error, 422)
    } finally {
      body.release()
    }
  })

  app.post('/api/models/rollback', async (request, reply) => {
    const body = await readBody(request.raw, { ...limit, bytesMax: commandBytesMax })
    try {
      if (body.bytes.length > 0) throw wrongCommand()
      return await reply.code(201).send(await models.rollback())
    } catch (error) {
      throw modelRefused(error, 409)
    } finally {
      body.release()
    }
  })
}

/** What keeps a model out is the client's to know, with its reason code; a broken invariant and what passes by itself are not. */
function modelRefused(error: unknown, status: 409 | 422): unknown {
  if (!(error instanceof MillwrightError) || error instanceof InvariantError || problemOf(error) !== null) return error
  const { reason } = error.details
  const code = typeof reason === 'string' ? reason : error.code.toLowerCase().replaceAll('_', '-')
  return new RequestRefusedError({ status, code, title: 'The model was not taken', detail: error.message }, error)
}

function wrongType(found: string | undefined): RequestRefusedError {
  const detail = `found content-type "${(found ?? '').slice(0, 200)}", wanted application/octet-stream: the bytes of a package`
  return new RequestRefusedError({
    status: 415,
    code: 'content-type-unsupported',
    title: 'The content type is not supported',
    detail,
  })
}

/** A body could name a model to go back to, which would be passed over unheard. */
function wrongCommand(): RequestRefusedError {
  return new RequestRefusedError({
    status: 400,
    code: 'command-malformed',
    title: 'The command cannot be read',
    detail: 'found a body, wanted none: a rollback goes back to the model before the one in force',
  })
}
