import { readFileSync } from 'node:fs'
import { request as requestInTheClear } from 'node:http'
import { request as requestByTls } from 'node:https'
import { ConfigurationError, MillwrightError } from '@millwright/core'
import type { Command } from 'commander'
import { PlantAnsweredError } from './control-client.ts'

/** No answer came from where a gateway should be. */
export class GatewayUnreachableError extends MillwrightError {
  readonly code = 'GATEWAY_UNREACHABLE'
  readonly retry = 'later'
}

/** How a gateway is reached, as commands take it. */
export interface GatewayFlags {
  readonly gateway?: string
  readonly gatewayCa?: string
}

/** Adds the flags by which a command goes to a plant over HTTP, wherever it runs and whatever it runs on. */
export function addGatewayFlags(command: Command): Command {
  return command
    .option(
      '--gateway <url>',
      'a plant that runs, as http://127.0.0.1:8420, instead of a data folder; also one on Kafka',
    )
    .option('--gateway-ca <file>', 'PEM certificates that are trusted for https')
}

/**
 * The gateway that the flags name; `null` where they name none.
 *
 * @param without Flags of the same command that mean nothing beside it, as they are given.
 * @throws {ConfigurationError} As {@link GatewayClient}; when one of the others is given too; when a file cannot be read.
 */
export function gatewayOf(
  { gateway, gatewayCa }: GatewayFlags,
  without: Readonly<Record<string, string | undefined>> = {},
): GatewayClient | null {
  if (gateway === undefined) {
    if (gatewayCa !== undefined) throw wrong('--gateway', 'nothing, beside --gateway-ca', 'the address of a gateway')
    return null
  }
  for (const [flag, found] of Object.entries(without))
    if (found !== undefined) throw wrong(flag, `${found}, beside --gateway`, 'one of the two')
  return new GatewayClient(gateway, gatewayCa === undefined ? null : textOf(gatewayCa))
}

/** What a gateway answered. */
export interface GatewayAnswer {
  readonly status: number
  readonly document: unknown
}

/** Longer than the plant itself waits for what becomes of a command. */
const answerMsMax = 30_000
/** A page of cases with all their evidence is some megabytes. */
const answerBytesMax = 64 * 1024 * 1024

/** A plant, asked over HTTP. One connection a request; nothing is sent twice. */
export class GatewayClient {
  readonly #base: URL
  readonly #authority: string | null

  /** @param authority PEM of the certificates to trust instead of Node's. @throws {ConfigurationError} When the address is none. */
  constructor(url: string, authority: string | null) {
    const base = URL.canParse(url) ? new URL(url) : null
    const wanted = 'http:// or https://, a host and a port'
    if (base === null || !['http:', 'https:'].includes(base.protocol)) throw wrong('--gateway', url, wanted)
    // Arguments are seen by every user of a machine; here it is at least not told again.
    if (base.username !== '' || base.password !== '')
      throw wrong('--gateway', `${base.host}, with a name or a password before it`, wanted)
    this.#base = base
    this.#authority = authority
  }

  /** @throws {GatewayUnreachableError | PlantAnsweredError} The latter with the gateway's own code where it refuses. */
  async get(path: string): Promise<unknown> {
    return documentOf(await this.exchange('GET', path))
  }

  /** @throws As {@link get}. */
  async post(path: string, body?: object): Promise<unknown> {
    return documentOf(await this.exchange('POST', path, body))
  }

  /** Gives whatever the gateway answers. @param path Below the address, without a slash at its beginning; already encoded. @throws {GatewayUnreachableError} */
  exchange(method: 'GET' | 'POST', path: string, body?: object): Promise<GatewayAnswer> {
    // It may be behind a proxy, below a path of its own.
    const address = new URL(`${this.#base.href.replace(/\/?$/, '/')}${path}`)
    const send = address.protocol === 'https:' ? requestByTls : requestInTheClear
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body))
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void =>
        reject(new GatewayUnreachableError(`Cannot ask ${address.host}: ${cause.message || cause.name}`, { cause }))
      const request = send(
        address,
        {
          method,
          agent: false,
          signal: AbortSignal.timeout(answerMsMax),
          headers: bytes === null ? {} : { 'content-type': 'application/json', 'content-length': String(bytes.length) },
          ...(this.#authority === null ? {} : { ca: this.#authority }),
        },
        (response) => {
          const parts: Buffer[] = []
          let length = 0
          response.on('data', (part: Buffer) => {
            length += part.length
            if (length > answerBytesMax) response.destroy(new Error('its answer is longer than any of a plant'))
            else parts.push(part)
          })
          response.on('error', fail)
          response.on('end', () => {
            try {
              const document: unknown = JSON.parse(Buffer.concat(parts).toString())
              resolve({ status: response.statusCode ?? 0, document })
            } catch {
              fail(new Error(`it answered ${response.statusCode} and no JSON: is it a plant?`))
            }
          })
        },
      )
      request.on('error', fail).end(bytes)
    })
  }
}

function documentOf({ status, document }: GatewayAnswer): unknown {
  if (status >= 200 && status < 300) return document
  throw answeredError({ status, document })
}

/** What a gateway's refusal (RFC 9457) is as an error. */
export function answeredError({ status, document }: GatewayAnswer): PlantAnsweredError {
  const { code, detail } = (document ?? {}) as { readonly code?: unknown; readonly detail?: unknown }
  const said = typeof detail === 'string' ? detail : 'and did not say why'
  const name = typeof code === 'string' ? code.toUpperCase().replaceAll('-', '_') : 'REFUSED'
  return new PlantAnsweredError(name, `The gateway answered ${status}: ${said}`)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const problem = { field: '--gateway-ca', found: file, wanted: 'a file that this user may read' }
    throw new ConfigurationError('A file cannot be read.', [problem], error)
  }
}

function wrong(field: string, found: string, wanted: string): ConfigurationError {
  return new ConfigurationError('The gateway cannot be asked.', [{ field, found, wanted }])
}
