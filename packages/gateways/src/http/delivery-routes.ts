import type { FastifyInstance } from 'fastify'
import type { DeliveryStatus } from '../delivery/index.ts'

/** Adds the route by which the channels of notifications are watched. */
export function addDeliveryRoutes(app: FastifyInstance, status: () => Promise<readonly DeliveryStatus[]>): void {
  app.get('/api/deliveries', async () => ({ channels: await status() }))
}
