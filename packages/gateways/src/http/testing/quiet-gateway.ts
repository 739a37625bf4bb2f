import type { HttpGatewayOptions } from '../options.ts'
import { type HttpGateway, startHttpGateway } from '../start-http-gateway.ts'

const unused = (): never => {
  throw new Error('nobody asks for this in these tests')
}

/** Starts a gateway on a free port of the loopback behind which there is nothing but what the test gives. */
export function startQuietGateway(given: Partial<HttpGatewayOptions>): Promise<HttpGateway> {
  return startHttpGateway({
    port: 0,
    door: { readings: unused, deviceEvents: unused },
    ingest: { append: unused, ready: unused },
    feedback: { appendFeedback: unused },
    verdictsUntilMs: unused,
    plant: { notReady: () => null, metrics: () => '', status: unused },
    alerts: { ends: () => [], read: unused, subscribe: () => () => undefined },
    models: { list: () => [], publish: unused, rollback: unused },
    ...given,
  })
}
