import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { limits } from '@millwright/core'
import type { ListenOptions } from './listen-rules.ts'

/** Headers are small: a client that takes this long for them has something else in mind. */
const headersMsMax = 10_000

const serverOptions: ServerOptions = {
  maxHeaderSize: limits.requestHeaderBytesMax,
  headersTimeout: headersMsMax,
  requestTimeout: limits.requestMsMax,
  // How often the two above are looked at.
  connectionsCheckingInterval: 5000,
  keepAliveTimeout: 75_000,
  // A client that is gone without a word is found out by the system.
  keepAlive: true,
}

/**
 * Makes a server on which no client can hold more than its share: time for headers, time for a whole request, size of
 * headers, number of connections.
 *
 * @throws What the platform throws when certificate and key are none.
 */
export function createLimitedServer(handler: RequestListener, tls: ListenOptions['tls']): Server {
  const server =
    tls === undefined ? createServer(serverOptions, handler) : createTlsServer({ ...serverOptions, ...tls }, handler)
  server.maxConnections = limits.connectionsMax
  return server
}
