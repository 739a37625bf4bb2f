import { request as requestInTheClear } from 'node:http'
import { request as requestByTls } from 'node:https'
import { limits } from '@millwright/core'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'

/** A request of JSON to a peer. */
export interface JsonPost {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** PEM of the authorities to trust instead of Node's. */
  readonly ca: string | null
  readonly signal: AbortSignal
}

/** What of the client's errors may be different soon: the same request is then made again. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429])

/**
 * Posts JSON. Resolves when the whole of a 2xx answer is there: one that is cut off in the middle is none, and the same is sent again.
 * A redirect is not followed: what is signed for one address is not for another.
 *
 * @throws {DeliveryFailedError} No answer, 5xx, 408, 425, 429; with the answer's `Retry-After`.
 * @throws {DeliveryRefusedError} Any other answer.
 */
export async function postJson({ url, body, headers, ca, signal }: JsonPost): Promise<void> {
  const { status, retryAfter, text } = await exchange({ url, body, headers, ca, signal })
  if (status >= 200 && status < 300) return
  const { host } = new URL(url)
  const said = text === '' ? '' : `: ${text}`
  if (status >= 500 || passingStatuses.has(status))
    throw new DeliveryFailedError(`${host} answered ${status}${said}`, {
      retryAfterMs: retryAfterMs(retryAfter, Date.now()),
    })
  const why = status >= 300 && status < 400 ? `${status}, a redirect, which is not followed` : `${status}${said}`
  throw new DeliveryRefusedError(`${host} answered ${why}`)
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** The beginning of its body, for a person. */
  readonly text: string
}

function exchange({ url, body, headers, ca, signal }: JsonPost): Promise<Answer> {
  const address = new URL(url)
  const request = address.protocol === 'https:' ? requestByTls : requestInTheClear
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      const why = signal.aborted
        ? 'no answer in time'
        : cause.message || ('code' in cause ? String(cause.code) : cause.name)
      reject(new DeliveryFailedError(`${address.host}: ${why}`, { cause }))
    }
    const bytes = Buffer.from(body)
    const options = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': bytes.length,
        'user-agent': 'millwright',
        ...headers,
      },
      // A connection of its own each: notifications are rare, and one that was kept may have died unseen.
      agent: false,
      signal,
      ...(ca === null ? {} : { ca }),
    } as const
    request(address, options, (response) => {
      let text = ''
      let length = 0
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        length += part.length
        if (length <= limits.notifyAnswerBytesMax) text += part
        // Enough is known; who goes on sending for ever holds up nothing.
        else response.destroy(new Error('its answer is longer than what is read of one'))
      })
      response.on('error', fail)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
          text: text.slice(0, 200),
        }),
      )
    })
      .on('error', fail)
      .end(bytes)
  })
}

/**
 * Reads `Retry-After`: seconds, or a date of HTTP. `null` where it is neither.
 *
 * Source: RFC 9110, section 10.2.3.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}
