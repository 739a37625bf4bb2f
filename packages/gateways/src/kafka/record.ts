/** A record to be written. */
export interface NewRecord {
  /** `null`: no key. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array
}

/** A record that was read. */
export interface KafkaRecord {
  readonly partition: number
  readonly offset: number
  /** Of the log where the topic carries append time, else the producer's; epoch milliseconds. */
  readonly appendTimeMs: number
  /** Append time of the record that caused this one, as operators on Flink give it; epoch milliseconds; `null` where nobody said. */
  readonly causeTimeMs: number | null
  /** As text; `null` where there is none. */
  readonly key: string | null
  /** Empty where the record takes its key's earlier ones away. */
  readonly value: Uint8Array
}

/** What a record takes in a batch beside its key and value: lengths, deltas, no headers. Source: Kafka's record format, version 2. */
const recordOverheadBytes = 32

/** About what a record takes in a batch, never less. */
export function recordBytes({ key, value }: NewRecord): number {
  return (key?.length ?? 0) + value.length + recordOverheadBytes
}
