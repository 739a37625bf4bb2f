import { MillwrightError, type Retry } from '@millwright/core'

/** What can go wrong between us and Flink's REST API. The message has Flink's own root cause in one line. */

/** No answer: nobody listens, the name is not known, the connection broke, or TLS could not be agreed on. */
export class FlinkUnreachableError extends MillwrightError {
  readonly code = 'FLINK_UNREACHABLE'
  readonly retry = 'later'
}

/** No answer in time. The call may have been carried out. */
export class FlinkTimeoutError extends MillwrightError {
  readonly code = 'FLINK_TIMEOUT'
  readonly retry = 'later'
}

/** User or password are missing or wrong, or may not do this. */
export class FlinkAuthenticationError extends MillwrightError {
  readonly code = 'FLINK_AUTHENTICATION'
  readonly retry = 'never'
}

/** There is no such job, jar, savepoint request or endpoint. */
export class FlinkNotFoundError extends MillwrightError {
  readonly code = 'FLINK_NOT_FOUND'
  readonly retry = 'never'
}

/** Flink understood and refused, or tried and failed. `details.status` is the HTTP status. */
export class FlinkRefusedError extends MillwrightError {
  readonly code = 'FLINK_REFUSED'
  readonly retry: Retry
  /** Flink's stack trace as it came; empty where there was none. */
  readonly trace: string

  constructor(message: string, options: { status: number; path: string; trace: string }) {
    super(message, { details: { status: options.status, path: options.path } })
    // 503: no leader yet, or the REST server still starts.
    this.retry = options.status === 503 ? 'later' : 'never'
    this.trace = options.trace
  }
}

/** The answer is not what this API gives: another server, a proxy's page, or a release that changed it. */
export class FlinkAnswerError extends MillwrightError {
  readonly code = 'FLINK_ANSWER'
  readonly retry = 'never'
}

/** A savepoint was asked for and failed. The job goes on as it was, unless it had already ended. */
export class FlinkSavepointError extends MillwrightError {
  readonly code = 'FLINK_SAVEPOINT'
  readonly retry = 'later'
}
