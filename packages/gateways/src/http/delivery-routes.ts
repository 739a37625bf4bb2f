import type { FastifyInstance } from 'fastify'
import { ChannelUnknownError, type Deliveries } from '../delivery/index.ts'
import type { MemoryPool } from '../memory-pool.ts'
import type { ByteBudget } from './byte-budget.ts'
import { RequestRefusedError } from './problem.ts'
import { readBody } from './request-body.ts'

/** What the gateway needs of the channels of notifications. */
export type DeliveryDesk = Pick<Deliveries, 'status' | 'retry'>

const commandBytesMax = 4096

/** Adds the routes by which the channels of notifications are watched, and told to try again. @param desk `null` where there are none. */
export function addDeliveryRoutes(
  app: FastifyInstance,
  desk: DeliveryDesk | null,
  use: { readonly budget: ByteBudget; readonly memory: MemoryPool },
): void {
  app.get('/api/deliveries', async () => ({ channels: (await desk?.status()) ?? [] }))

  app.post<{ Params: { channel: string } }>('/api/deliveries/:channel/retry', async (request) => {
    const { channel } = request.params
    const body = await readBody(request.raw, { ...use, bytesMax: commandBytesMax })
    try {
      if (body.bytes.length > 0) throw wrongCommand()
      return { channel, parked: retried(desk, channel) }
    } finally {
      body.release()
    }
  })
}

/** @returns How many were parked. @throws {RequestRefusedError} Where the plant has no such channel. */
function retried(desk: DeliveryDesk | null, channel: string): number {
  try {
    if (desk !== null) return desk.retry(channel)
  } catch (error) {
    if (!(error instanceof ChannelUnknownError)) throw error
    throw unknownChannel(error.message, error)
  }
  throw unknownChannel('The plant tells nobody: it has no channel of notifications')
}

function unknownChannel(detail: string, cause?: unknown): RequestRefusedError {
  return new RequestRefusedError(
    { status: 404, code: 'channel-unknown', title: 'There is no such channel', detail },
    cause,
  )
}

/** A body could say which notifications are meant, which would be passed over unheard. */
function wrongCommand(): RequestRefusedError {
  return new RequestRefusedError({
    status: 400,
    code: 'command-malformed',
    title: 'The command cannot be read',
    detail: 'found a body, wanted none: all that the channel has parked is sent again',
  })
}
