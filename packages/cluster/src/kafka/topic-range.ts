import { ConfigurationError } from '@millwright/core'
import { type KafkaConnection, TopicReader } from '@millwright/gateways/kafka'

/**
 * Where a range of topics begins or ends: at their oldest record, at their end now, at the first record that was appended then or
 * later (epoch milliseconds), or at offsets by `TOPIC:PARTITION`.
 */
export type RangeEdge =
  | 'earliest'
  | 'latest'
  | { readonly timeMs: number }
  | { readonly offsets: ReadonlyMap<string, number> }

/** What of one partition is read: `[from, until)`, in offsets. */
export interface PartitionRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly until: number
}

const wanted =
  'earliest, latest, a time with its zone as 2026-11-23T06:00:00Z, or offsets as sensor-data:0=120,sensor-data:1=95 (a partition that is not named: its own beginning or end)'

/**
 * Reads what a person gave as `--from` or `--until`.
 *
 * @throws {ConfigurationError} Naming the flag and the part that is wrong. A time without a zone is refused: it would depend on the machine.
 */
export function parseRangeEdge(flag: string, text: string): RangeEdge {
  if (text === 'earliest' || text === 'latest') return text
  if (text.includes('=')) return { offsets: parseOffsets(flag, text) }
  const timeMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (Number.isNaN(timeMs)) throw refused(flag, text)
  return { timeMs }
}

function parseOffsets(flag: string, text: string): Map<string, number> {
  const offsets = new Map<string, number>()
  for (const part of text.split(',')) {
    const [, place, offset] = /^([\w.-]+:\d{1,4})=(\d{1,15})$/.exec(part) ?? []
    if (place === undefined || offsets.has(place)) throw refused(flag, part)
    offsets.set(place, Number(offset))
  }
  return offsets
}

/**
 * Finds the offsets of a range, once: whatever is written meanwhile is not in it.
 *
 * @throws {ConfigurationError} When a partition that is named is not there, when records that are asked for are gone or not there yet, and
 *   when the range is empty. @throws As `TopicReader.open`.
 */
export async function resolveRange(
  connection: KafkaConnection,
  topics: readonly string[],
  edges: { readonly from: RangeEdge; readonly until: RangeEdge },
): Promise<PartitionRange[]> {
  const ranges: PartitionRange[] = []
  for (const topic of topics) {
    const reader = await TopicReader.open(connection, topic)
    try {
      const [first, end] = await Promise.all([reader.offsets('beginning'), reader.offsets('end')])
      const [from, until] = await Promise.all([
        offsetsOf(reader, edges.from, first, first, end),
        offsetsOf(reader, edges.until, end, first, end),
      ])
      for (let partition = 0; partition < reader.partitionCount; partition++) {
        const kept = { first: first[partition] ?? 0, end: end[partition] ?? 0 }
        ranges.push(
          checked({ topic, partition, from: from[partition] ?? 0, until: until[partition] ?? 0 }, kept, edges),
        )
      }
    } finally {
      await reader.close()
    }
  }
  const places = new Set(ranges.map(({ topic, partition }) => `${topic}:${partition}`))
  for (const [flag, edge] of [
    ['--from', edges.from],
    ['--until', edges.until],
  ] as const)
    for (const place of typeof edge === 'object' && 'offsets' in edge ? edge.offsets.keys() : [])
      if (!places.has(place)) throw refused(flag, place, `one of ${[...places].join(', ')}`)
  if (recordCountMaxOf(ranges) === 0)
    throw refused('--until', 'a range without a record', 'an end after the beginning, in some partition')
  return ranges
}

/** Records of ranges at most: markers of transactions take offsets too. */
export function recordCountMaxOf(ranges: readonly PartitionRange[]): number {
  return ranges.reduce((sum, { from, until }) => sum + until - from, 0)
}

/** One edge of ranges as the host takes it. */
export function offsetsText(ranges: readonly PartitionRange[], edge: 'from' | 'until'): string {
  return ranges.map((range) => `${range.topic}:${range.partition}=${range[edge]}`).join(',')
}

async function offsetsOf(
  reader: TopicReader,
  edge: RangeEdge,
  otherwise: readonly number[],
  first: readonly number[],
  end: readonly number[],
): Promise<readonly number[]> {
  if (edge === 'earliest') return first
  if (edge === 'latest') return end
  if ('timeMs' in edge) return reader.offsets(edge)
  return otherwise.map((offset, partition) => edge.offsets.get(`${reader.topic}:${partition}`) ?? offset)
}

/** A range whose records are all there. One that ends before it begins, as times may make it, is empty. */
function checked(
  range: PartitionRange,
  kept: { readonly first: number; readonly end: number },
  edges: { readonly from: RangeEdge; readonly until: RangeEdge },
): PartitionRange {
  const { topic, partition, from, until } = range
  const isNamed = (edge: RangeEdge): boolean => typeof edge === 'object' && 'offsets' in edge
  const place = `${topic}:${partition}`
  if (isNamed(edges.from) && (from < kept.first || from > kept.end))
    throw refused('--from', `${place}=${from}`, `${kept.first} to ${kept.end}, which is there`)
  if (isNamed(edges.until) && (until < from || until > kept.end))
    throw refused('--until', `${place}=${until}`, `${from} to ${kept.end}, which is there`)
  return until < from ? { ...range, until: from } : range
}

function refused(field: string, found: string, wantedText = wanted): ConfigurationError {
  return new ConfigurationError('The range cannot be read.', [{ field, found, wanted: wantedText }])
}
