import type { CsvFormat } from '@millwright/core'

/** How a sample file is to be read: what is known before its values are looked at. */
export interface GuessedSource {
  readonly kind: 'ndjson' | 'csv'
  /** `null` for NDJSON, which needs no description. */
  readonly csv: CsvFormat | null
  readonly channels: readonly GuessedChannelName[]
  /** What was guessed and may be wrong, or was left out: sentences for a person. */
  readonly remarks: readonly string[]
}

export interface GuessedChannelName {
  readonly name: string
  /** As the file itself says it; `null` where it does not. */
  readonly unit: string | null
}
