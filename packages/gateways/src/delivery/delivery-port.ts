import type { Notification } from './notification.ts'

/** How a channel reaches its peer: one kind of peer each. Called by one caller at a time. */
export interface DeliveryPort {
  /** Most notifications of one send; 1 or more. */
  readonly batchMax: number
  /** Least time between the beginnings of two sends that succeeded, milliseconds; what comes meanwhile is gathered. */
  readonly paceMs: number
  /** Where to, for a person; without anything secret. */
  readonly target: string
  /**
   * Resolves when the peer has taken responsibility for all of them.
   *
   * @param batch 1 to `batchMax`, in the order of the topic.
   * @param signal Ends the attempt: it took too long, or the plant stops.
   * @throws {DeliveryFailedError} Try again; any other error means the same.
   * @throws {DeliveryRefusedError} Do not.
   */
  send(batch: readonly Notification[], signal: AbortSignal): Promise<void>
  /** Whether each notification tells the whole state of its case, so that an earlier one, sent later, would be wrong. */
  readonly tellsState?: true
  /** What has to be done again and again, whether or not something comes. */
  readonly repeat?: { readonly everyMs: number; run(signal: AbortSignal): Promise<void> }
  /** What the port must know again after a restart, as JSON; saved with the position that it belongs to. */
  state?(): unknown
  close(): Promise<void>
}

/** A record of the topic `cases`. */
export interface SourceRecord {
  readonly partition: number
  readonly offset: number
  /** Epoch milliseconds. */
  readonly appendTimeMs: number
  readonly value: Uint8Array
}

/** The topic `cases`, wherever it is. */
export interface CaseSource {
  /** The offset that the next record of each partition has at least. */
  ends(): Promise<readonly number[]>
  /** Records from these offsets on (0 for a partition without one), each partition's in order, as they come, until the signal. */
  follow(from: readonly number[], signal: AbortSignal): AsyncIterable<SourceRecord>
  /** The record at an offset; `null` where retention has taken it. */
  at(partition: number, offset: number): Promise<SourceRecord | null>
}

/** Time as the machinery of delivery knows it. */
export interface DeliveryClock {
  /** Epoch milliseconds. */
  nowMs(): number
  /** Resolves after a time, or at once when the signal is aborted. */
  pause(durationMs: number, signal: AbortSignal): Promise<void>
}
