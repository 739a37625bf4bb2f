import { once } from 'node:events'
import { ConfigurationError, type TopicName, topicNames } from '@millwright/core'
import { listTopics, openTopicReader, type TopicReader, type TopicRecord, type TopicSummary } from '@millwright/engine'
import type { KafkaConnection, KafkaFlags } from '@millwright/gateways/kafka'
import type { Command } from 'commander'
import { addKafkaFlags, connectionOf } from '../kafka/kafka-flags.ts'
import { wholeNumber } from '../terminal/arguments.ts'
import { formatBytes, formatCount } from '../terminal/progress.ts'

const examples = `
Examples:
  millwright topics list --data my-plant/data
  millwright topics tail alert-signals --data my-plant/data
  millwright topics export dead-letters --data my-plant/data --envelope > dead-letters.ndjson
  millwright topics export sensor-data --from-time 2026-11-23T06:00:00Z
  millwright topics tail alert-signals --kafka 127.0.0.1:9092

Topics: ${topicNames.join(', ')}. Reading needs no running plant, and disturbs none.`

interface TopicFlags extends KafkaFlags {
  readonly data?: string
  readonly partition?: string
  readonly fromOffset?: string
  readonly fromTime?: string
  readonly limit?: string
  readonly prefix?: string
  readonly envelope?: true
  readonly json?: true
}

const dataDefault = 'data'
/** Records that `tail` shows before it waits for more. */
const tailRecords = 10

/** Adds `millwright topics`: what came in and what came out, as NDJSON. */
export function addCommand(program: Command): void {
  const topics = program.command('topics').description('Read the topics of a plant.').addHelpText('after', examples)
  const dataHelp = 'data folder (default: data)'
  addKafkaFlags(topics.command('list'))
    .description('List the topics: how many records, how large, how old.')
    .option('--data <dir>', dataHelp)
    .option('--json', 'one JSON document on stdout')
    .action(list)
  for (const [name, description] of [
    ['tail', `Print the last ${tailRecords} records of a topic, then each as it comes, until Ctrl-C.`],
    ['export', 'Print the records of a topic, oldest first, and end.'],
  ] as const) {
    addKafkaFlags(topics.command(name))
      .argument('<topic>', topicNames.join(', '))
      .description(description)
      .option('--data <dir>', dataHelp)
      .option('--partition <n>', 'only this partition (default: all, merged by append time)')
      .option('--from-offset <n>', 'first offset, in each partition')
      .option('--from-time <iso>', 'only records appended then or later')
      .option('--prefix <text>', 'with --kafka: before the name of the topic, as a bounded run writes it (backfill-)')
      .option('--limit <n>', 'end after so many records')
      .option('--envelope', 'print {"partition","offset","appendTime","key","value"} around each record')
      .action((topic: string, flags: TopicFlags) => print(topicOf(topic), flags, name === 'tail'))
  }
}

async function list(flags: TopicFlags): Promise<void> {
  endWithTheReader()
  const connection = await connectionOf(flags, { '--data': flags.data })
  if (connection !== null) return listOnKafka(connection, flags)
  const summaries = listTopics(flags.data ?? dataDefault)
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(summaries)}\n`)
    return
  }
  const rows = summaries.map((summary) => [
    summary.topic,
    String(summary.partition),
    formatCount(summary.firstOffset),
    formatCount(summary.endOffset),
    formatBytes(summary.byteLength),
    newest(summary),
  ])
  printTable([['topic', 'partition', 'first offset', 'next offset', 'size', 'newest record'], ...rows])
}

async function listOnKafka(connection: KafkaConnection, flags: TopicFlags): Promise<void> {
  const { listKafkaTopics } = await import('../kafka/topics-on-kafka.ts')
  const summaries = await listKafkaTopics(connection)
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(summaries)}\n`)
    return
  }
  const rows = summaries.map(({ topic, partition, firstOffset, endOffset }) => [
    topic,
    String(partition),
    formatCount(firstOffset),
    formatCount(endOffset),
  ])
  printTable([['topic', 'partition', 'first offset', 'next offset'], ...rows])
}

function printTable(table: readonly (readonly string[])[]): void {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  for (const row of table)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}

function newest({ newestAppendTimeMs }: TopicSummary): string {
  return newestAppendTimeMs === null ? '' : new Date(newestAppendTimeMs).toISOString()
}

async function print(topic: TopicName, flags: TopicFlags, follow: boolean): Promise<void> {
  const limit = flags.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--limit', flags.limit, 1, 1e15)
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort()).once('SIGTERM', () => stop.abort())
  endWithTheReader()
  const connection = await connectionOf(flags, { '--data': flags.data })
  if (connection !== null) return printFromKafka(connection, topic, { flags, follow, limit, signal: stop.signal })
  if (flags.prefix !== undefined)
    throw new ConfigurationError('The topic cannot be read.', [
      { field: '--prefix', found: flags.prefix, wanted: 'none, or --kafka: a data folder has no topics of runs' },
    ])
  const readers = openReaders(topic, flags, follow)
  let printed = 0
  try {
    for (const reader of readers) {
      const records = follow && readers.length === 1 ? reader.follow({ signal: stop.signal }) : reader
      for await (const record of records) {
        if (stop.signal.aborted || printed >= limit) return
        printed += 1
        if (!process.stdout.write(lineOf(record, flags.envelope ?? false))) await once(process.stdout, 'drain')
        if (printed >= limit) return
      }
    }
  } finally {
    for (const reader of readers) reader.close()
  }
}

async function printFromKafka(
  connection: KafkaConnection,
  topic: TopicName,
  options: {
    readonly flags: TopicFlags
    readonly follow: boolean
    readonly limit: number
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { flags, follow, limit, signal } = options
  const { readKafkaTopic, shownValue } = await import('../kafka/topics-on-kafka.ts')
  const records = readKafkaTopic(connection, {
    topic: `${flags.prefix ?? ''}${topic}`,
    partition: flags.partition === undefined ? null : wholeNumber('--partition', flags.partition, 0, 63),
    from:
      flags.fromTime !== undefined
        ? { timeMs: momentOf(flags.fromTime) }
        : flags.fromOffset !== undefined
          ? { offset: wholeNumber('--from-offset', flags.fromOffset, 0, 1e15) }
          : null,
    tailRecords,
    follow,
    signal,
    onAway: (error) => void process.stderr.write(error === null ? 'Kafka is back.\n' : `${error.message}: waiting.\n`),
  })
  let printed = 0
  for await (const record of records) {
    printed += 1
    const line = lineOf({ ...record, value: shownValue(topic, record) }, flags.envelope ?? false)
    if (!process.stdout.write(line)) await once(process.stdout, 'drain')
    if (printed >= limit || signal.aborted) return
  }
}

/** A reader that has seen enough (`| head`) closes the pipe, which is no failure of ours. */
function endWithTheReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
}

function openReaders(topic: TopicName, flags: TopicFlags, follow: boolean): TopicReader[] {
  const directory = flags.data ?? dataDefault
  const partition =
    flags.partition === undefined ? {} : { partition: wholeNumber('--partition', flags.partition, 0, 63) }
  const fromTime = flags.fromTime === undefined ? {} : { fromTimeMs: momentOf(flags.fromTime) }
  const fromOffset =
    flags.fromOffset === undefined ? {} : { fromOffset: wholeNumber('--from-offset', flags.fromOffset, 0, 1e15) }
  const options = { directory, topic, ...partition, ...fromTime, ...fromOffset }
  if (!follow || flags.fromTime !== undefined || flags.fromOffset !== undefined) return [openTopicReader(options)]
  return [openTailReader(directory, topic, partition)]
}

/** A reader at the last records of a topic: as many offsets before the ends as make the tail in all. */
function openTailReader(directory: string, topic: TopicName, partition: { partition?: number }): TopicReader {
  const ends = listTopics(directory).filter(
    (summary) =>
      summary.topic === topic && (partition.partition === undefined || summary.partition === partition.partition),
  )
  const newestMs = ends
    .flatMap(({ partition: number, endOffset }) => {
      const reader = openTopicReader({
        directory,
        topic,
        partition: number,
        fromOffset: Math.max(0, endOffset - tailRecords),
      })
      try {
        return [...reader].map(({ appendTimeMs }) => appendTimeMs)
      } finally {
        reader.close()
      }
    })
    .sort((a, b) => b - a)
    .slice(0, tailRecords)
  return openTopicReader({ directory, topic, ...partition, fromTimeMs: newestMs.at(-1) ?? 0 })
}

/** A record of a topic is one line already; only bytes that are no UTF-8 can make the envelope differ from them. */
function lineOf(
  {
    partition,
    offset,
    appendTimeMs,
    key,
    value,
  }: Pick<TopicRecord, 'partition' | 'offset' | 'appendTimeMs' | 'key' | 'value'>,
  envelope: boolean,
): Uint8Array | string {
  if (!envelope) return Buffer.concat([value, Buffer.from('\n')])
  const text = Buffer.from(value).toString()
  let parsed: string
  try {
    JSON.parse(text)
    parsed = text
  } catch {
    // What came in broken is shown as the text it is.
    parsed = JSON.stringify(text)
  }
  return `{"partition":${partition},"offset":${offset},"appendTime":${appendTimeMs},"key":${JSON.stringify(key)},"value":${parsed}}\n`
}

function topicOf(name: string): TopicName {
  const topic = topicNames.find((known) => known === name)
  if (topic !== undefined) return topic
  throw new ConfigurationError('There is no such topic.', [
    { field: 'topic', found: name, wanted: `one of ${topicNames.join(', ')}` },
  ])
}

function momentOf(text: string): number {
  const ms = /^\d{10,15}$/.test(text) ? Number(text) : Date.parse(text)
  if (!Number.isNaN(ms)) return ms
  throw new ConfigurationError('The topic cannot be read.', [
    { field: '--from-time', found: text, wanted: 'a moment such as 2026-11-23T06:00:00Z, or epoch milliseconds' },
  ])
}
