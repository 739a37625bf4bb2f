import type { KafkaRecord } from './record.ts'

/** A batch as it stands in the log. */
export interface LogBatch {
  readonly firstOffset: bigint
  readonly lastOffsetDelta: number
  readonly attributes: number
  readonly firstTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly records: readonly {
    readonly offsetDelta: number
    readonly timestampDelta: bigint
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
    readonly headers: readonly (readonly [name: Uint8Array | null, value: Uint8Array | null])[]
  }[]
}

/** A transaction that was taken back, as a fetch names it. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/** The header that the cluster's host gives what operators write: an int64, big-endian. docs/formats/topics.md. */
const causeTimeHeader = 'cause-time'

const appendTimeFlag = 0x08
const transactionalFlag = 0x10
const controlFlag = 0x20
/** Second 16-bit number in the key of a control record. */
const abortType = 0

/**
 * Takes the committed records out of what one fetch of a partition gave.
 *
 * C1. A record of a transaction that was taken back is left out: those from the transaction's first offset to its marker.
 * C2. Markers are left out; `next` goes past them, and past what compaction has taken away.
 * C3. A fetch begins with a whole batch: records before `from` are left out.
 *
 * Source: apache/kafka `clients/…/consumer/internals/CompletedFetch.java`; the record format, version 2.
 *
 * @param aborted In any order.
 * @returns The records in their order, and the offset to read on from.
 */
export function committedRecords(
  partition: number,
  from: number,
  batches: readonly LogBatch[],
  aborted: readonly AbortedTransaction[],
): { readonly records: KafkaRecord[]; readonly next: number } {
  const toCome = aborted.toSorted((a, b) =>
    a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0,
  )
  const open = new Set<bigint>()
  const records: KafkaRecord[] = []
  let next = from
  for (const batch of batches) {
    const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    for (let first = toCome[0]; first !== undefined && first.firstOffset <= lastOffset; first = toCome[0]) {
      open.add(first.producerId)
      toCome.shift()
    }
    next = Math.max(next, Number(lastOffset) + 1)
    if ((batch.attributes & controlFlag) !== 0) {
      if (isAbort(batch)) open.delete(batch.producerId)
      continue
    }
    if ((batch.attributes & transactionalFlag) !== 0 && open.has(batch.producerId)) continue
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta
      if (offset < from) continue
      const isAppendTime = (batch.attributes & appendTimeFlag) !== 0
      const timestamp = isAppendTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta
      records.push({
        partition,
        offset,
        appendTimeMs: Number(timestamp),
        causeTimeMs: causeTimeOf(record.headers),
        key: record.key === null ? null : Buffer.from(record.key).toString(),
        value: record.value ?? new Uint8Array(0),
      })
    }
  }
  return { records, next }
}

function causeTimeOf(headers: LogBatch['records'][number]['headers']): number | null {
  for (const [name, value] of headers)
    if (value?.length === 8 && name !== null && Buffer.from(name).toString() === causeTimeHeader)
      return Number(Buffer.from(value).readBigInt64BE())
  return null
}

function isAbort({ records }: LogBatch): boolean {
  const key = records[0]?.key
  return (
    key !== null &&
    key !== undefined &&
    key.length >= 4 &&
    (((key[2] as number) << 8) | (key[3] as number)) === abortType
  )
}
