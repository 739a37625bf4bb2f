import type { NotifyChannel } from '@millwright/core'
import type { ParkedNotification } from './channel-file.ts'

/**
 * `starting`: where it stands is being looked up. `idle`: nothing waits. `sending`: an attempt is under way, or the next mail is being gathered. `waiting`: an attempt failed, and
 * the next one has its time. `held`: too many are parked, a person has to look. `stopped`: it cannot work at all; `lastError` says why.
 */
export type DeliveryState = 'starting' | 'idle' | 'sending' | 'waiting' | 'held' | 'stopped'

/** How a channel does. Times are epoch milliseconds; counts are since the start of the plant. */
export interface DeliveryStatus {
  readonly name: string
  readonly kind: NotifyChannel['kind']
  /** Where to, for a person; without anything secret. */
  readonly target: string
  readonly state: DeliveryState
  /** Not yet taken by the peer. Of records that were not even read yet each counts, wanted or not. */
  readonly pending: number
  /** Append time of the oldest that waits; `null` where nothing does. */
  readonly oldestPendingAt: number | null
  readonly delivered: number
  /** By the peer, for good. */
  readonly refused: number
  /** Attempts that failed and were, or will be, made again. */
  readonly failed: number
  /** Of history, and records that could not be read. */
  readonly skipped: number
  /** Refused ones that wait to be sent again, the oldest first. */
  readonly parked: readonly ParkedNotification[]
  readonly lastDeliveredAt: number | null
  /** The newest one, also where all is well again. */
  readonly lastError: { readonly at: number; readonly text: string } | null
  readonly nextAttemptAt: number | null
  /** Why the position cannot be saved at the moment: after a crash some would be sent again. */
  readonly saveError: string | null
}
