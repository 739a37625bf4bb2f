import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError } from '@millwright/core'
import {
  FlinkAnswerError,
  FlinkAuthenticationError,
  FlinkNotFoundError,
  FlinkRefusedError,
  FlinkTimeoutError,
  FlinkUnreachableError,
} from './errors.ts'
import { rootCause } from './root-cause.ts'

/** How Flink's REST API is reached. */
export interface FlinkConnection {
  /** `http:` or `https:`, with a path where it is behind a proxy. Holds no password. */
  readonly url: string
  /** Certificates that are trusted, PEM; without it those that Node trusts. */
  readonly authority?: string
  /** Our certificate and key, PEM, where Flink or its proxy wants one of clients. */
  readonly certificate?: { readonly certificate: string; readonly key: string }
  /** Basic authentication, which Flink leaves to a proxy before it. Only over TLS or to this machine. */
  readonly user?: { readonly name: string; readonly password: string }
  /** From sending to the last byte of the answer, milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** How often a call that changes nothing is made before it fails. Default 3. */
  readonly attemptsMax?: number
}

export interface FlinkRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the URL, beginning with `/`; already encoded. */
  readonly path: string
  readonly json?: unknown
  /** A body that is streamed. */
  readonly body?: {
    readonly contentType: string
    readonly sizeBytes: number
    readonly stream: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  }
  /** Instead of the connection's, where more is to be sent or waited for. */
  readonly timeoutMs?: number
}

const timeoutMsDefault = 30_000
const attemptsMaxDefault = 3
const retryDelayMs = 300
/** No answer that is read whole is larger: the plan of a job with thousands of operators is a few MiB. */
const answerBytesMax = 64 * 1024 * 1024

/** Makes calls, one attempt or several; turns what comes back into values and errors. Keeps its connections. */
export class FlinkHttp {
  readonly #base: URL
  readonly #connection: FlinkConnection
  readonly #agent: HttpAgent | HttpsAgent

  /** @throws {ConfigurationError} When the URL cannot be used. */
  constructor(connection: FlinkConnection) {
    this.#base = parseUrl(connection.url, connection.user !== undefined)
    this.#connection = connection
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({
            keepAlive: true,
            ...(connection.authority === undefined ? {} : { ca: connection.authority }),
            ...(connection.certificate === undefined
              ? {}
              : { cert: connection.certificate.certificate, key: connection.certificate.key }),
          })
        : new HttpAgent({ keepAlive: true })
  }

  /** Ends kept connections. */
  close(): void {
    this.#agent.destroy()
  }

  /**
   * Makes a call and returns its JSON; `null` where the answer has no body. Calls that change nothing (GET) are made again
   * when there was no answer or Flink had no leader; others never.
   *
   * @throws {FlinkUnreachableError | FlinkTimeoutError | FlinkAuthenticationError | FlinkNotFoundError | FlinkRefusedError | FlinkAnswerError}
   */
  async call(request: FlinkRequest): Promise<unknown> {
    const attemptsMax = request.method === 'GET' ? (this.#connection.attemptsMax ?? attemptsMaxDefault) : 1
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(request)
      } catch (error) {
        const transient =
          error instanceof FlinkUnreachableError ||
          error instanceof FlinkTimeoutError ||
          (error instanceof FlinkRefusedError && error.retry === 'later')
        if (!transient || attempt >= attemptsMax) throw error
        await delay(retryDelayMs * attempt)
      }
    }
  }

  async #once(request: FlinkRequest): Promise<unknown> {
    const { status, text } = await this.#exchange(request)
    if (status >= 200 && status < 300) return text === '' ? null : parseJson(text, request.path)
    throw refusal(status, text, request.path)
  }

  async #exchange(request: FlinkRequest): Promise<{ status: number; text: string }> {
    const timeoutMs = request.timeoutMs ?? this.#connection.timeoutMs ?? timeoutMsDefault
    const signal = AbortSignal.timeout(timeoutMs)
    const json = request.json === undefined ? null : Buffer.from(JSON.stringify(request.json))
    const outgoing = this.#open(request, json, signal)
    try {
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        outgoing.once('response', resolve)
        outgoing.once('error', reject)
      })
      // A refusal may come before the body is sent whole; then the answer tells, not the broken pipe.
      const sent = pipeline(
        request.body === undefined ? Readable.from(json === null ? [] : [json]) : Readable.from(request.body.stream),
        outgoing,
      )
      const response = await Promise.race([answered, sent.then(() => answered)])
      sent.catch(() => response.resume())
      return { status: response.statusCode ?? 0, text: await readText(response, request.path) }
    } catch (error) {
      outgoing.destroy()
      if (error instanceof FlinkAnswerError) throw error
      if (signal.aborted)
        throw new FlinkTimeoutError(`Flink did not answer ${request.method} ${request.path} in ${timeoutMs} ms.`, {
          details: { url: this.#base.href, path: request.path, timeoutMs },
        })
      throw new FlinkUnreachableError(`Cannot reach Flink at ${this.#base.href}: ${(error as Error).message}.`, {
        details: { url: this.#base.href, path: request.path },
        cause: error,
      })
    }
  }

  #open(request: FlinkRequest, json: Buffer | null, signal: AbortSignal): ClientRequest {
    const { user } = this.#connection
    const length = request.body?.sizeBytes ?? json?.byteLength
    const type = request.body?.contentType ?? (json === null ? undefined : 'application/json')
    const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest
    return send(`${this.#base.href.replace(/\/$/, '')}${request.path}`, {
      method: request.method,
      agent: this.#agent,
      signal,
      headers: {
        accept: 'application/json',
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(length === undefined ? {} : { 'content-length': length }),
        ...(user === undefined
          ? {}
          : { authorization: `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}` }),
      },
    })
  }
}

function parseUrl(text: string, withPassword: boolean): URL {
  const refuse = (wanted: string): ConfigurationError =>
    new ConfigurationError('Flink cannot be reached:', [{ field: 'flink', found: text, wanted }])
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw refuse('a URL such as http://127.0.0.1:8081')
  if (url.username !== '' || url.password !== '')
    throw new ConfigurationError('Flink cannot be reached:', [
      {
        field: 'flink',
        found: `${url.protocol}//…@${url.host}`,
        wanted: 'a URL without user and password; they come from the environment or a file',
      },
    ])
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (withPassword && url.protocol === 'http:' && !local) throw refuse('https: a password is sent to another machine')
  return url
}

async function readText(response: IncomingMessage, path: string): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > answerBytesMax)
      throw new FlinkAnswerError(`Flink's answer to ${path} is larger than ${answerBytesMax} bytes.`, {
        details: { path },
      })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new FlinkAnswerError(`The answer to ${path} is not JSON: is this Flink? It begins: ${text.slice(0, 80)}`, {
      details: { path },
      cause: error,
    })
  }
}

/** Turns an answer that is no success into an error. Flink sends `{"errors": [MESSAGE, STACK TRACE]}`. */
function refusal(status: number, text: string, path: string): Error {
  const trace = errorsIn(text)
  const cause = trace === '' ? text.slice(0, 200).trim() : rootCause(trace)
  if (status === 401 || status === 403)
    return new FlinkAuthenticationError(`Flink, or the proxy before it, refused user and password (HTTP ${status}).`, {
      details: { status, path },
    })
  if (status === 404)
    return new FlinkNotFoundError(`Flink does not know ${path}: ${cause}`, { details: { status, path } })
  return new FlinkRefusedError(`Flink refused ${path} (HTTP ${status}): ${cause}`, { status, path, trace })
}

function errorsIn(text: string): string {
  try {
    const errors = (JSON.parse(text) as { errors?: unknown } | null)?.errors
    return Array.isArray(errors) ? errors.filter((item) => typeof item === 'string').join('\n') : ''
  } catch (error) {
    // A proxy's page is no JSON; its words are told as they are.
    if (error instanceof SyntaxError) return ''
    throw error
  }
}
