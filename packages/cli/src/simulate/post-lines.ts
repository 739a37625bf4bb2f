import { setTimeout as delay } from 'node:timers/promises'
import { MillwrightError } from '@millwright/core'

/** A plant did not take a batch of readings: it refused it, or could not be reached as often as was tried. */
export class DeliveryError extends MillwrightError {
  readonly code = 'DELIVERY'
  readonly retry = 'later'
}

/** What a plant said to all batches so far. */
export interface DeliveryCounts {
  accepted: number
  rejected: number
  /** Requests made again, after 429, 503 or no answer. */
  retried: number
}

export interface PostOptions {
  readonly url: URL
  readonly signal?: AbortSignal
  /** Waits; in tests it does not. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** The wall clock, to understand a `Retry-After` that is a date. */
  readonly now?: () => number
}

/** Tries of one batch. With the waits below that is about two minutes of a plant that restarts. */
export const attemptsMax = 10
const backoffMs = 250
const backoffMsMax = 30_000
/** A plant that asks for more than this is not pushed back but closed. */
const retryAfterMsMax = 300_000

/**
 * Posts batches of lines to a plant, one request at a time, since the order of a device's readings is part of them.
 *
 * A batch that was taken but whose answer was lost is sent again: the plant knows redelivered readings by their bytes.
 */
export class LinePoster {
  readonly counts: DeliveryCounts = { accepted: 0, rejected: 0, retried: 0 }
  readonly #options: PostOptions

  constructor(options: PostOptions) {
    this.#options = options
  }

  /**
   * Posts whole lines and returns when the plant has them on disk.
   *
   * @throws {DeliveryError} When the plant refuses the batch (any status but 202, 429 and 503), answers something else
   * than the counts it promises, or is not to be had in {@link attemptsMax} tries.
   */
  async post(lines: Uint8Array<ArrayBuffer>): Promise<void> {
    let reason = ''
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const answer = await this.#request(lines)
      if (answer instanceof Response && answer.status === 202) return this.#count(await answer.text())
      reason = answer instanceof Response ? `${answer.status} ${await answer.text()}`.trim() : reasonOf(answer)
      if (answer instanceof Response && answer.status !== 429 && answer.status !== 503) break
      if (attempt === attemptsMax) break
      const waitMs = this.#waitMs(answer instanceof Response ? answer.headers.get('retry-after') : null, attempt)
      if (waitMs > retryAfterMsMax) {
        reason += `, to be tried again in ${Math.round(waitMs / 1000)} s`
        break
      }
      this.counts.retried++
      const wait = this.#options.wait ?? ((ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }))
      await wait(waitMs, this.#options.signal)
    }
    const { href } = this.#options.url
    throw new DeliveryError(`Cannot deliver readings to ${href}: ${reason.slice(0, 500)}`, { details: { url: href } })
  }

  /** Returns the answer, or the error where there was none. */
  async #request(lines: Uint8Array<ArrayBuffer>): Promise<Response | Error> {
    try {
      return await fetch(this.#options.url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines,
        // A redirect could lead off this machine.
        redirect: 'manual',
        signal: this.#options.signal ?? null,
      })
    } catch (error) {
      if (this.#options.signal?.aborted) throw error
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  #count(body: string): void {
    const answer: unknown = parseOrNull(body)
    const { accepted, rejected } = (answer ?? {}) as { accepted?: unknown; rejected?: unknown }
    if (typeof accepted !== 'number' || !Array.isArray(rejected)) {
      const { href } = this.#options.url
      throw new DeliveryError(
        `Cannot deliver readings to ${href}: wanted {"accepted", "rejected"} in the answer, found ${body.slice(0, 200)}`,
        { details: { url: href } },
      )
    }
    this.counts.accepted += accepted
    this.counts.rejected += rejected.length
  }

  /** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); else 250 ms, doubled each time up to 30 s. */
  #waitMs(retryAfter: string | null, attempt: number): number {
    const backoff = Math.min(backoffMsMax, backoffMs * 2 ** (attempt - 1))
    if (retryAfter === null) return backoff
    if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000
    const atMs = Date.parse(retryAfter)
    return Number.isNaN(atMs) ? backoff : Math.max(0, atMs - (this.#options.now ?? Date.now)())
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** `fetch` hides the reason in its cause. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message
}
