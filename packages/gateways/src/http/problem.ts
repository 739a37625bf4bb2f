import { MillwrightError } from '@millwright/core'

/** What an answer that refuses says, as RFC 9457 has it. */
export interface Problem {
  readonly status: number
  /** Permanent, lower case with `-`; docs/guide/http.md lists them. */
  readonly code: string
  readonly title: string
  /** For a person: what was found and what is wanted. */
  readonly detail: string
  /** Seconds after which the same request may be made again. */
  readonly retryAfterS?: number
}

/** A request that is refused, with the answer it gets. */
export class RequestRefusedError extends MillwrightError {
  readonly code = 'REQUEST_REFUSED'
  readonly retry: 'later' | 'never'
  readonly problem: Problem

  constructor(problem: Problem, cause?: unknown) {
    super(problem.detail, { details: { status: problem.status, code: problem.code }, cause })
    this.problem = problem
    this.retry = problem.retryAfterS === undefined ? 'never' : 'later'
  }
}

/** The media type of every answer that refuses. */
export const problemType = 'application/problem+json; charset=utf-8'

/** The body of the answer. */
export function problemBody({ status, code, title, detail }: Problem): string {
  return JSON.stringify({ type: `urn:millwright:problem:${code}`, title, status, detail, code })
}

const retryAfterS = 1

/**
 * Says what whatever was thrown means to the client. What it does not name is our own fault: 500, with nothing of its
 * inside, and `null` for the caller to log it.
 */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof RequestRefusedError) return error.problem
  if (!(error instanceof MillwrightError)) return null
  const detail = error.message
  if (error.code === 'DISK_FULL')
    return { status: 507, code: 'disk-full', title: 'The disk of the plant is full', detail, retryAfterS: 10 }
  if (error.code === 'BUSY')
    return { status: 429, code: 'busy', title: 'The plant has to catch up first', detail, retryAfterS }
  if (error.code === 'ENGINE_CLOSED')
    return { status: 503, code: 'closing', title: 'The plant is stopping', detail, retryAfterS: 5 }
  if (error.retry !== 'never')
    return { status: 503, code: 'unavailable', title: 'The plant cannot take this now', detail, retryAfterS }
  return null
}

/** What a client is told of a fault of ours. */
export const internalProblem: Problem = {
  status: 500,
  code: 'internal',
  title: 'Something went wrong in the plant',
  detail: 'The log of the plant has the error. Nothing of this request was accepted.',
}

/** What a client is told when its request never became one: Node's parser or a time limit refused it. */
export function clientErrorProblem(error: { readonly code?: string }): Problem {
  switch (error.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, code: 'request-too-slow', title: 'Request Timeout', detail: 'The request took too long.' }
    case 'HPE_HEADER_OVERFLOW':
      return {
        status: 431,
        code: 'headers-too-large',
        title: 'Request Header Fields Too Large',
        detail: 'The headers of the request are larger than the plant takes.',
      }
    default:
      return { status: 400, code: 'request-malformed', title: 'Bad Request', detail: 'The request is not HTTP.' }
  }
}
