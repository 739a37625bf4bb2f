import { decodeUtf8, type ReadingBatch, type ReadingDecoder, rowEmpty } from '@millwright/core'

/** One row of a batch, freed from the decoder's views, for tests to compare. */
export interface DecodedRow {
  /** The row's own bytes as text; byte by byte as Latin-1 where they are not UTF-8. */
  readonly line: string
  /** `reading`, `blank`, or the reason of the refusal. */
  readonly what: string
  readonly message: string | null
  readonly deviceId: string | null
  readonly timestampMs: number
  readonly values: readonly number[]
}

/** Reads a batch while its views hold. */
export function rowsOf(batch: ReadingBatch, decoder: ReadingDecoder): DecodedRow[] {
  const rows: DecodedRow[] = []
  let refusalAt = 0
  for (let row = 0; row < batch.rowCount; row++) {
    const device = batch.device[row] as number
    const refusal = batch.refusals[refusalAt]?.row === row ? batch.refusals[refusalAt++] : undefined
    rows.push({
      line: lineText(batch.bytes.subarray(batch.lineStart[row], batch.lineEnd[row])),
      what: refusal?.reason ?? (device >= 0 ? 'reading' : device === rowEmpty ? 'blank' : 'refused without a reason'),
      message: refusal?.message ?? null,
      deviceId: refusal === undefined ? (device >= 0 ? decoder.deviceId(device) : null) : refusal.deviceId,
      timestampMs: batch.timestampMs[row] as number,
      values: batch.channels.map((column) => column[row] as number),
    })
  }
  return rows
}

/** Decodes bytes and returns all rows. */
export function decodeRows(decoder: ReadingDecoder, bytes: Uint8Array): DecodedRow[] {
  const rows: DecodedRow[] = []
  decoder.decode(bytes, (batch) => {
    rows.push(...rowsOf(batch, decoder))
  })
  return rows
}

/** Returns what differs between two rows, `null` when nothing does: numbers by `Object.is`, so that -0 and NaN count. */
export function difference(a: DecodedRow, b: DecodedRow): string | null {
  for (const field of ['line', 'what', 'message', 'deviceId', 'timestampMs'] as const)
    if (!Object.is(a[field], b[field])) return `${field}: ${String(a[field])} and ${String(b[field])}`
  const channel = a.values.findIndex((value, index) => !Object.is(value, b.values[index]))
  return channel < 0 ? null : `channel ${channel}: ${a.values[channel]} and ${b.values[channel]}`
}

function lineText(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}
