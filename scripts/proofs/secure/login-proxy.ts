import { readFileSync } from 'node:fs'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { authorityPath, keyStorePath } from '../../../packages/cluster/src/development/certificates.ts'
import type { DevelopmentCluster } from '../../../packages/cluster/src/development/index.ts'

/** A proxy before Flink's REST that asks for a login, as Flink wants one in production. */
export interface LoginProxy {
  readonly url: string
  close(): void
}

/** A client's connection is not let go of while a proof is at work. */
const keptMs = 600_000

/** Starts it on a free port, by TLS with the cluster's own certificate. */
export async function startLoginProxy(
  cluster: DevelopmentCluster,
  user: { readonly name: string; readonly password: string },
): Promise<LoginProxy> {
  const wanted = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
  const ca = readFileSync(authorityPath(cluster.folder))
  const server = createServer(
    { pfx: readFileSync(keyStorePath(cluster.folder)), passphrase: cluster.settings.password },
    (request, response) => {
      if (request.headers.authorization !== wanted) {
        response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
        return
      }
      const { authorization: _, ...headers } = request.headers
      const { method } = request
      const onward = httpsRequest(
        new URL(request.url ?? '/', cluster.flinkUrl),
        // A connection for each: one that Flink has just let go of would fail a call that may not be made twice.
        { ca, headers, agent: false, ...(method === undefined ? {} : { method }) },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
        },
      )
      onward.on('error', () => response.destroy())
      request.pipe(onward)
    },
  )
  server.keepAliveTimeout = keptMs
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
