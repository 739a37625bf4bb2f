import { MillwrightError } from '@millwright/core'

/** The peer is away, or said that it cannot now: the same is tried again. */
export class DeliveryFailedError extends MillwrightError {
  readonly code = 'DELIVERY_FAILED'
  readonly retry = 'later'
  /** What the peer asked for, milliseconds; `null` where it asked for nothing. */
  readonly retryAfterMs: number | null

  constructor(message: string, options: { readonly retryAfterMs?: number | null; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.retryAfterMs = options.retryAfterMs ?? null
  }
}

/** The peer has understood, and will not have it: the same would be refused again. */
export class DeliveryRefusedError extends MillwrightError {
  readonly code = 'DELIVERY_REFUSED'
  readonly retry = 'never'
}

/** A channel that was named is none of the plant's. */
export class ChannelUnknownError extends MillwrightError {
  readonly code = 'CHANNEL_UNKNOWN'
  readonly retry = 'never'
}

/** What is saved of a channel cannot be read. To guess where it stood would lose notifications, or tell old ones. */
export class ChannelFileDamagedError extends MillwrightError {
  readonly code = 'CHANNEL_FILE_DAMAGED'
  readonly retry = 'never'
}
