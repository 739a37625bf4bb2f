import { ConfigurationError, type Disk, type OutputTopic, type TopicName, topicNames } from '@millwright/core'
import {
  acceptedFeedbackDirectory,
  caseCommandsDirectory,
  caseMessagesDirectory,
  inputDirectory,
  modelUpdatesDirectory,
  outputDirectory,
  refusedFeedbackDirectory,
  requireFormat,
} from './data-folder.ts'
import { NodeDisk } from './node-disk.ts'
import { frameKindOf, TopicLane, type TopicRecord } from './topic-lane.ts'

export interface TopicReaderOptions {
  /** A data folder. */
  readonly directory: string
  readonly topic: TopicName
  /** Default: all, merged by append time, then by partition. */
  readonly partition?: number
  /** First offset wanted, in each partition read. Default: the oldest there is. */
  readonly fromOffset?: number
  /** Only records appended then or later, epoch milliseconds. */
  readonly fromTimeMs?: number
  readonly disk?: Disk
}

/**
 * Opens a topic to read, whether or not a plant writes to it, in this process or another. Needs no lock, changes nothing.
 *
 * A record can be seen a moment before it is on stable storage; should the disk then fail, it is withdrawn, and others
 * come at its offset.
 *
 * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
 * @throws {ConfigurationError} When there is no such topic or partition.
 */
export function openTopicReader(options: TopicReaderOptions): TopicReader {
  const { directory, topic, disk = new NodeDisk() } = options
  const { partitionCount } = requireFormat(disk, directory)
  const directories = topicDirectories(directory, topic, partitionCount)
  const laneCount = directories.length
  const problems = []
  if (!topicNames.includes(topic))
    problems.push({ field: 'topic', found: String(topic), wanted: `one of ${topicNames.join(', ')}` })
  const { partition } = options
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition < laneCount))
    problems.push({ field: 'partition', found: String(partition), wanted: `0..${laneCount - 1}` })
  if (problems.length > 0) throw new ConfigurationError('Cannot read the topic:', problems)
  const start = { fromOffset: options.fromOffset ?? 0, fromTimeMs: options.fromTimeMs ?? 0 }
  return new TopicReader(
    directories.flatMap((folder, p) =>
      partition === undefined || p === partition ? [new TopicLane(disk, folder, frameKindOf(topic), p, start)] : [],
    ),
  )
}

/** Reads a topic; see {@link openTopicReader}. */
export class TopicReader {
  readonly #lanes: readonly TopicLane[]

  constructor(lanes: readonly TopicLane[]) {
    this.#lanes = lanes
  }

  /**
   * Returns the next record; `null` when there is none yet. Over several partitions: the one appended first, as far as
   * they are written.
   *
   * @throws {LogCorruptError} When what is stored is not what was written.
   */
  next(): TopicRecord | null {
    let first: { lane: TopicLane; record: TopicRecord } | null = null
    for (const lane of this.#lanes) {
      const record = lane.peek()
      if (record !== null && (first === null || record.appendTimeMs < first.record.appendTimeMs))
        first = { lane, record }
    }
    first?.lane.take()
    return first?.record ?? null
  }

  /** Yields what is there now, to the end. @throws {LogCorruptError} */
  *[Symbol.iterator](): Generator<TopicRecord> {
    for (let record = this.next(); record !== null; record = this.next()) yield record
  }

  /**
   * Yields what is there and what comes, until `signal` says stop.
   *
   * @param options.pollMs How often to look when there is nothing. Default 100.
   * @throws {LogCorruptError}
   */
  async *follow(options: { readonly signal: AbortSignal; readonly pollMs?: number }): AsyncGenerator<TopicRecord> {
    const { signal, pollMs = 100 } = options
    while (!signal.aborted) {
      const record = this.next()
      if (record === null) await pause(pollMs, signal)
      else yield record
    }
  }

  close(): void {
    for (const lane of this.#lanes) lane.close()
  }
}

/**
 * The folders of a topic's partitions, in their order. `model-updates` and what people write, and `cases`, have one; `dead-letters` has one
 * more than the plant: what was refused as a verdict never was in an input log.
 */
export function topicDirectories(directory: string, topic: TopicName, partitionCount: number): string[] {
  const each = (folder: (partition: number) => string): string[] =>
    Array.from({ length: partitionCount }, (_, p) => folder(p))
  switch (topic) {
    case 'sensor-data':
    case 'device-events':
      return each((p) => inputDirectory(directory, p))
    case 'model-updates':
      return [modelUpdatesDirectory(directory)]
    case 'maintenance-feedback':
      return [acceptedFeedbackDirectory(directory)]
    case 'case-commands':
      return [caseCommandsDirectory(directory)]
    case 'cases':
      return [caseMessagesDirectory(directory)]
    case 'dead-letters':
      return [...each((p) => outputDirectory(directory, topic, p)), refusedFeedbackDirectory(directory)]
    default:
      return each((p) => outputDirectory(directory, topic satisfies OutputTopic, p))
  }
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      resolve()
    }
    const timer = setTimeout(stop, durationMs)
    signal.addEventListener('abort', stop)
  })
}
