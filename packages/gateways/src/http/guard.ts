import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { RequestRefusedError } from './problem.ts'

/**
 * Keeps web pages of others from talking to the plant through the browser of someone on its network.
 *
 * G1 A request must name a host that is the plant's own: a page whose own name was made to point here (DNS rebinding)
 *    still names its own host. An address in numbers cannot be pointed elsewhere, so each is taken.
 * G2 A request that changes something and says from which page it comes must come from a page of the plant itself.
 *    Programs that are no browsers say nothing, and are let through.
 */
export interface Guard {
  /** @throws {RequestRefusedError} 421 by G1, 403 by G2. */
  check(request: IncomingMessage): void
}

/** @param hostNames Under which the plant is reached, beside `localhost`; without ports. @param scheme What it serves. */
export function createGuard(options: {
  readonly hostNames: readonly string[]
  readonly scheme: 'http' | 'https'
}): Guard {
  const hostNames = new Set(['localhost', ...options.hostNames.map((name) => name.toLowerCase())])
  return {
    check(request) {
      const host = request.headers.host ?? ''
      if (!isOwnHost(host, hostNames)) throw unknownHost(host, hostNames)
      if (request.method === 'GET' || request.method === 'HEAD') return
      const { origin } = request.headers
      if (origin !== undefined && origin.toLowerCase() !== `${options.scheme}://${host.toLowerCase()}`)
        throw foreignOrigin(origin)
      if (request.headers['sec-fetch-site'] === 'cross-site') throw foreignOrigin('another site')
    },
  }
}

function isOwnHost(host: string, hostNames: ReadonlySet<string>): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]]+)(?::\d{1,5})?$/i.exec(host)
  const name = match?.[1]?.toLowerCase()
  if (name === undefined) return false
  return hostNames.has(name) || isIP(name.startsWith('[') ? name.slice(1, -1) : name) !== 0
}

function unknownHost(host: string, hostNames: ReadonlySet<string>): RequestRefusedError {
  const known = [...hostNames].join(', ')
  return new RequestRefusedError({
    status: 421,
    code: 'host-unknown',
    title: 'The plant is not known by this name',
    detail: `found the host "${host.slice(0, 200)}", wanted an IP address or one of: ${known}. Other names are declared at start.`,
  })
}

function foreignOrigin(origin: string): RequestRefusedError {
  return new RequestRefusedError({
    status: 403,
    code: 'origin-foreign',
    title: 'Other pages may not change anything here',
    detail: `found a request from ${origin.slice(0, 200)}, wanted one from a page of the plant itself, or from a program`,
  })
}
