import { type Disk, type TopicName, topicNames } from '@millwright/core'
import { requireFormat } from './data-folder.ts'
import { LogCursor } from './log-cursor.ts'
import { NodeDisk } from './node-disk.ts'
import { headTimeMs, listSegments, segmentPath } from './segment-names.ts'
import { topicDirectories } from './topic-reader.ts'

/** One partition of a topic, as it stands on disk. `sensor-data` and `device-events` share one log. */
export interface TopicSummary {
  readonly topic: TopicName
  readonly partition: number
  /** Offsets of the oldest record kept and of the next to come. */
  readonly firstOffset: number
  readonly endOffset: number
  readonly byteLength: number
  /** Append times of about the oldest and of the newest record, epoch milliseconds; `null` where there is none. */
  readonly oldestAppendTimeMs: number | null
  readonly newestAppendTimeMs: number | null
}

/**
 * Summarises every topic of a data folder, whether or not a plant writes to it. Changes nothing.
 *
 * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
 * @throws {LogCorruptError} When the newest segment of a log is damaged.
 */
export function listTopics(directory: string, disk: Disk = new NodeDisk()): TopicSummary[] {
  const { partitionCount } = requireFormat(disk, directory)
  return topicNames.flatMap((topic) => {
    const folders = topicDirectories(directory, topic, partitionCount)
    return folders.map((folder, partition) => summarise(disk, folder, topic, partition))
  })
}

function summarise(disk: Disk, folder: string, topic: TopicName, partition: number): TopicSummary {
  const bases = listSegments(disk, folder)
  const firstOffset = bases[0] ?? 0
  const newest = bases.at(-1) ?? 0
  const cursor = new LogCursor(disk, folder, { segment: newest, bytes: 0, offset: newest })
  let newestAppendTimeMs = 0
  try {
    for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null))
      newestAppendTimeMs = frame.header.appendTimeMs
  } finally {
    cursor.close()
  }
  const endOffset = cursor.position.offset
  const some = endOffset > firstOffset
  // The head of the second segment has the time of the last record of the first: near enough, and cheap.
  const oldestHeadMs = bases.length > 1 ? headTimeMs(disk, folder, bases[1] as number) : newestAppendTimeMs
  return {
    topic,
    partition,
    firstOffset,
    endOffset,
    byteLength: bases.reduce((sum, base) => sum + disk.size(segmentPath(folder, base)), 0),
    oldestAppendTimeMs: some ? oldestHeadMs : null,
    newestAppendTimeMs: some ? newestAppendTimeMs : null,
  }
}
