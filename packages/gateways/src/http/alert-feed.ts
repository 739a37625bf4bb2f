/** One record of `alert-signals` that is on stable storage. */
export interface AlertEvent {
  readonly partition: number
  /** Of the record within the topic's partition; rises by one or more from one record to the next. */
  readonly offset: number
  /** The record: one JSON document without a newline. */
  readonly line: string
}

/** Where the stream of alerts comes from: what was, and what comes. */
export interface AlertFeed {
  /** Offset that the next record of each partition will have at least; one number a partition. */
  ends(): readonly number[]
  /**
   * Records from these offsets on, up to what is there now, each partition in its order. Those that retention has taken
   * are left out. Ends early when the signal is aborted.
   */
  read(from: readonly number[], signal: AbortSignal): AsyncIterable<AlertEvent>
  /** Tells of records as they become durable, in order within a partition. Returns what ends it. */
  subscribe(listener: (events: readonly AlertEvent[]) => void): () => void
}

/**
 * A place in the stream, as clients keep it: the offset of the next record of each partition, joined by points. Exact over
 * several partitions, which a single number would not be.
 */
export function formatPlace(next: readonly number[]): string {
  return next.join('.')
}

/** Returns the place that a client gave, or `null` when it is none of this plant: another form, or ahead of what there is. */
export function parsePlace(text: string, ends: readonly number[]): number[] | null {
  if (!/^\d{1,15}(?:\.\d{1,15}){0,63}$/.test(text)) return null
  const next = text.split('.').map(Number)
  return next.length === ends.length && next.every((offset, partition) => offset <= (ends[partition] ?? -1))
    ? next
    : null
}
