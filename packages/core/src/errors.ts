/**
 * The root of every error that Millwright raises on purpose.
 *
 * Three kinds, three treatments: *ours* (a broken invariant) is an {@link InvariantError}, never caught;
 * *the world's* (disk, network, a bad file) and *the user's* (configuration, arguments) are subclasses that carry
 * a permanent `code`, whether trying again can help, and the place as data.
 */

/** Whether the same call can succeed if made again: at once, after the world changed, or not at all. */
export type Retry = 'now' | 'later' | 'never'

/** Plain data that says where and what: offsets in bytes, times in milliseconds, names as they were given. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

export abstract class MillwrightError extends Error {
  /** Permanent upper-case identifier, for example `LOG_CORRUPT`. Never reused for another meaning. */
  abstract readonly code: string
  abstract readonly retry: Retry
  readonly details: ErrorDetails

  constructor(message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.details = options.details ?? {}
  }
}

/** A broken invariant of ours. The task stops; nobody catches this to go on. */
export class InvariantError extends MillwrightError {
  readonly code = 'INVARIANT'
  readonly retry = 'never'
}

/**
 * Stops the task unless `condition` holds.
 *
 * @throws {InvariantError} With `message`, which says what should have held.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** One thing that is wrong in what a user wrote: the field, what it held, what would be right. */
export interface ConfigurationProblem {
  /** Path of the field as the user wrote it, for example `channels.temperature.max`. */
  readonly field: string
  /** The value found, printed for a person; `undefined` where nothing was there. */
  readonly found: string
  readonly wanted: string
}

/** The user's configuration or arguments are wrong. Reports every problem found, not only the first. Exit code 2. */
export class ConfigurationError extends MillwrightError {
  readonly code = 'CONFIGURATION'
  readonly retry = 'never'
  readonly problems: readonly ConfigurationProblem[]

  constructor(what: string, problems: readonly ConfigurationProblem[], cause?: unknown) {
    const lines = problems.map((p) => `  ${p.field}: found ${p.found}, wanted ${p.wanted}`)
    super(`${what}\n${lines.join('\n')}`, { details: { problemCount: problems.length }, cause })
    this.problems = problems
  }
}

/** A user's own function threw, or answered something that is not a number. Names the feature and the window. */
export class UserFunctionError extends MillwrightError {
  readonly code = 'USER_FUNCTION'
  readonly retry = 'never'
}

/** Bytes of a device's state are not of this version or plan, or are damaged. Restoring changed nothing. */
export class StateFormatError extends MillwrightError {
  readonly code = 'STATE_FORMAT'
  readonly retry = 'never'
}
