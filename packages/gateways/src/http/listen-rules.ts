import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { ConfigurationError } from '@millwright/core'

/** Where a gateway listens. */
export interface ListenOptions {
  /** IP address or name to bind to. Default `127.0.0.1`: this machine alone. */
  readonly host?: string
  /** 0 for any that is free. */
  readonly port: number
  /** PEM. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer }
  /** Lets other machines in without TLS: anyone on the network may read along and send. */
  readonly insecure?: boolean
}

/** The rules of binding, answered. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
  readonly scheme: 'http' | 'https'
  /** Names by which clients may call the plant, beside `localhost` and addresses. */
  readonly ownNames: readonly string[]
}

/**
 * Decides where to listen: on this machine alone unless told otherwise, and elsewhere only with TLS or where the lack of
 * it was asked for in so many words.
 *
 * @throws {ConfigurationError} Naming the field that is wrong.
 */
export function listenAddress({ host = '127.0.0.1', port, tls, insecure = false }: ListenOptions): ListenAddress {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw refuse('port', String(port), 'a whole number from 0 to 65535')
  if (!isLoopback(host) && tls === undefined && !insecure)
    throw refuse(
      'host',
      host,
      '127.0.0.1, or a TLS certificate and key, or --insecure, which lets anyone on the network read along and send',
    )
  const name = isIP(host) === 0 ? [host] : []
  return {
    host,
    port,
    scheme: tls === undefined ? 'http' : 'https',
    ownNames: isLoopback(host) ? name : [...name, hostname()],
  }
}

/** Says what keeps a server from listening, by what the system threw, and what to do. */
export function cannotListen({ host, port, scheme }: ListenAddress, error: unknown): ConfigurationError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = error instanceof Error ? error.message : String(error)
  const problem =
    code === 'EADDRINUSE'
      ? {
          field: 'port',
          found: `${port}, which another program uses`,
          wanted: 'a port that is free: end that program, or name another port (0 takes any)',
        }
      : code === 'EACCES'
        ? { field: 'port', found: `${port}, which this user may not use`, wanted: 'a port above 1023' }
        : code.startsWith('EADDR') || addressUnknown.has(code)
          ? {
              field: 'host',
              found: `${host} (${code})`,
              wanted: 'an address or name of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for all it has',
            }
          : { field: scheme === 'https' ? 'tls' : 'host', found: reason, wanted: 'a certificate and its key as PEM' }
  return new ConfigurationError('The plant cannot listen there.', [problem], error)
}

/** A name that is none, cannot be looked up now, or is no address of this family. */
const addressUnknown = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAFNOSUPPORT', 'EINVAL'])

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function refuse(field: string, found: string, wanted: string): ConfigurationError {
  return new ConfigurationError('The plant cannot listen there.', [{ field, found, wanted }])
}
