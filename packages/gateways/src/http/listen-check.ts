import { once } from 'node:events'
import { createServer } from 'node:net'
import { createLimitedServer } from './limited-server.ts'
import { cannotListen, type ListenOptions, listenAddress } from './listen-rules.ts'

/**
 * Finds out whether a gateway can listen there, before anything else is opened: takes the port for a moment and gives it back.
 * Another program may take it between this and the start; the start then says so.
 *
 * @throws {ConfigurationError} As the start would.
 */
export async function requireListenable(options: ListenOptions): Promise<void> {
  const address = listenAddress(options)
  const server = createServer()
  try {
    // Certificate and key are read where a server is made of them; this one never listens.
    if (options.tls !== undefined) createLimitedServer(() => undefined, options.tls)
    server.listen({ host: address.host, port: address.port })
    await once(server, 'listening')
  } catch (error) {
    throw cannotListen(address, error)
  }
  server.close()
  await once(server, 'close')
}
