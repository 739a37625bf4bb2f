import { MillwrightError, type Retry } from '@millwright/core'

/**
 * What can go wrong in the store, each with what a person can do about it. Files and offsets travel as data in `details`.
 */

/** The disk is full, or so nearly that the engine keeps the rest for what it has already accepted. Nothing was accepted. */
export class DiskFullError extends MillwrightError {
  readonly code = 'DISK_FULL'
  readonly retry = 'later'
}

/** A write or a sync failed for another reason than space. What was not yet acknowledged is not in the log. */
export class DiskFailedError extends MillwrightError {
  readonly code = 'DISK_FAILED'
  readonly retry = 'later'
}

/** Too much waits to be synced or processed. `Engine.ready` resolves when there is room again. */
export class BusyError extends MillwrightError {
  readonly code = 'BUSY'
  readonly retry = 'later'
}

/** The engine was closed, or has stopped because of the error in `cause`. */
export class EngineClosedError extends MillwrightError {
  readonly code = 'ENGINE_CLOSED'
  readonly retry = 'never'
}

/** An earlier append of this resumable source failed: ask `sourcePosition` and go on from there. */
export class SourceInterruptedError extends MillwrightError {
  readonly code = 'SOURCE_INTERRUPTED'
  readonly retry = 'now'
}

/** Another process writes to this data folder. */
export class StoreLockedError extends MillwrightError {
  readonly code = 'STORE_LOCKED'
  readonly retry = 'later'
}

/** The data folder was made by a newer release, or is no data folder. Nothing was changed. */
export class StoreVersionError extends MillwrightError {
  readonly code = 'STORE_VERSION'
  readonly retry = 'never'
}

/** The data folder has another number of partitions than the plan. It can only be changed by draining. */
export class PartitionCountError extends MillwrightError {
  readonly code = 'PARTITION_COUNT'
  readonly retry = 'never'
}

/** Bytes that were once on stable storage are not what was written. Nothing was changed. */
export class LogCorruptError extends MillwrightError {
  readonly code = 'LOG_CORRUPT'
  readonly retry = 'never'
}

/** No snapshot of a partition's state is whole. Nothing was changed. */
export class StateCorruptError extends MillwrightError {
  readonly code = 'STATE_CORRUPT'
  readonly retry = 'never'
}

/** A model package that the log refers to is missing from the model store or is not what was published. */
export class ModelMissingError extends MillwrightError {
  readonly code = 'MODEL_MISSING'
  readonly retry = 'never'
}

/** A model package was refused before anything was written; the model that is in force stays. */
export class ModelRefusedError extends MillwrightError {
  readonly code = 'MODEL_REFUSED'
  readonly retry = 'never'
}

/** There is no earlier model to go back to. */
export class NoPreviousModelError extends MillwrightError {
  readonly code = 'NO_PREVIOUS_MODEL'
  readonly retry = 'never'
}

/** An operator threw: the plant stopped at this record, which is in the log and will be processed first next time. */
export class PartitionFailedError extends MillwrightError {
  readonly code = 'PARTITION_FAILED'
  readonly retry = 'never'
}

/** An error that crossed a thread: what was thrown there, as data. */
export interface ErrorData {
  readonly name: string
  readonly message: string
  readonly code: string
  readonly retry: Retry
  readonly details: Readonly<Record<string, string | number | boolean | null>>
  readonly stack: string
  readonly cause: ErrorData | null
}

/** Stands for an error of another thread, with its name, code, place and stack. */
export class RemoteError extends MillwrightError {
  readonly code: string
  readonly retry: Retry

  constructor(data: ErrorData) {
    super(data.message, {
      details: data.details,
      cause: data.cause === null ? undefined : new RemoteError(data.cause),
    })
    this.name = data.name
    this.code = data.code
    this.retry = data.retry
    this.stack = data.stack
  }
}

/** Turns anything thrown into data that can be sent to another thread; causes at most eight deep. */
export function errorToData(error: unknown, depthMax = 8): ErrorData {
  const known = error instanceof MillwrightError ? error : null
  const plain = error instanceof Error ? error : new Error(String(error))
  return {
    name: plain.name,
    message: plain.message,
    code: known?.code ?? systemCode(error) ?? 'UNKNOWN',
    retry: known?.retry ?? 'never',
    details: known?.details ?? {},
    stack: plain.stack ?? plain.message,
    cause: plain.cause === undefined || depthMax === 0 ? null : errorToData(plain.cause, depthMax - 1),
  }
}

/** The system's name for what went wrong (`ENOSPC`), where an error has one. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : null
}

/** Whether an error can pass by itself: the disk's, for example. */
export function isRetriable(error: unknown): boolean {
  return error instanceof MillwrightError && error.retry !== 'never'
}

/** Wraps what a disk threw as the error its caller can act on; errors of ours pass through. */
export function diskError(error: unknown, what: string, path: string): MillwrightError {
  if (error instanceof MillwrightError) return error
  const code = systemCode(error)
  const details = { path, systemCode: code }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new DiskFullError(`Cannot ${what} "${path}" as the disk must have space: it is full (${code})`, {
      details,
      cause: error,
    })
  return new DiskFailedError(`Cannot ${what} "${path}": the disk answered ${code ?? String(error)}`, {
    details,
    cause: error,
  })
}
