import { type Disk, limits, type OutputTopic, outputTopics, type RetentionRules } from '@millwright/core'
import { inputDirectory, outputDirectory, peopleDirectories, stateDirectory } from './data-folder.ts'
import type { PublishedModel } from './model-updates.ts'
import { headTimeMs, listSegments, segmentPath } from './segment-names.ts'

/**
 * What may be thrown away, and in which order.
 *
 * G1. Whole segments, oldest first; never the one that is written to.
 * G2. No input at or after the oldest snapshot that a recovery may use; while a partition has no snapshot, none of its input.
 * G3. By age first. Then, while the folder takes more than its budget, the oldest segment of input of any partition; where
 *     none may go, the oldest of the outputs. What people found and did goes by age only: it is small, and cannot be made again.
 */

/** A segment that is not written to any more. */
export interface RetirableSegment {
  readonly path: string
  readonly topic: 'input' | 'people' | OutputTopic
  readonly partition: number
  readonly byteLength: number
  /** Append time of its last record, epoch milliseconds: that of the head of the next one. */
  readonly lastAppendTimeMs: number
}

export interface RetentionPlan {
  readonly retire: readonly RetirableSegment[]
  /** Bytes the folder takes when they are gone. */
  readonly byteLength: number
  /** No input that is left was appended before, epoch milliseconds. */
  readonly oldestInputMs: number
  /** Nothing more may go (G1, G2), and the folder still takes more than its budget. */
  readonly budgetExceeded: boolean
}

export interface RetentionInput {
  readonly disk: Disk
  readonly directory: string
  readonly partitionCount: number
  readonly rules: RetentionRules
  readonly nowMs: number
  /** G2, per partition. */
  readonly neededFrom: readonly (number | null)[]
}

/** Chooses what goes, without touching anything. */
export function planRetention(input: RetentionInput): RetentionPlan {
  const { rules, nowMs } = input
  const all = listRetirable(input)
  const byAge = all.filter(({ topic, lastAppendTimeMs }) => {
    const keptMs = topic === 'input' ? rules.readingsMs : rules.outputsMs
    return lastAppendTimeMs < nowMs - keptMs
  })
  let byteLength = folderBytes(input.disk, input) - byAge.reduce((sum, segment) => sum + segment.byteLength, 0)
  const retire = [...byAge]
  const rest = all
    .filter((segment) => segment.topic !== 'people' && !byAge.includes(segment))
    .sort(
      (a, b) => Number(a.topic !== 'input') - Number(b.topic !== 'input') || a.lastAppendTimeMs - b.lastAppendTimeMs,
    )
  for (const segment of rest) {
    if (byteLength <= rules.diskBytesMax) break
    retire.push(segment)
    byteLength -= segment.byteLength
  }
  const oldestInputMs = oldestKeptMs(input, new Set(retire.map(({ path }) => path)))
  return { retire, byteLength, oldestInputMs, budgetExceeded: byteLength > rules.diskBytesMax }
}

function oldestKeptMs({ disk, directory, partitionCount, nowMs }: RetentionInput, gone: ReadonlySet<string>): number {
  const heads = Array.from({ length: partitionCount }, (_, partition) => {
    const folder = inputDirectory(directory, partition)
    const oldest = listSegments(disk, folder).find((base) => !gone.has(segmentPath(folder, base)))
    return oldest === undefined ? nowMs : (headTimeMs(disk, folder, oldest) ?? 0)
  })
  return Math.min(...heads)
}

/** Segments that may go (G1, G2), each log's oldest first. */
function listRetirable({ disk, directory, partitionCount, neededFrom }: RetentionInput): RetirableSegment[] {
  const retirable: RetirableSegment[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    const needed = neededFrom[partition] ?? null
    if (needed !== null)
      retirable.push(...closedSegments(disk, inputDirectory(directory, partition), 'input', partition, needed))
    for (const topic of outputTopics)
      retirable.push(
        ...closedSegments(
          disk,
          outputDirectory(directory, topic, partition),
          topic,
          partition,
          Number.POSITIVE_INFINITY,
        ),
      )
  }
  for (const folder of peopleDirectories(directory))
    retirable.push(...closedSegments(disk, folder, 'people', 0, Number.POSITIVE_INFINITY))
  return retirable
}

/** Segments of a log whose records all stand before `before`, but for the last one. */
function closedSegments(
  disk: Disk,
  directory: string,
  topic: RetirableSegment['topic'],
  partition: number,
  before: number,
): RetirableSegment[] {
  const bases = listSegments(disk, directory)
  return bases.slice(0, -1).flatMap((base, index) => {
    const next = bases[index + 1] as number
    const lastAppendTimeMs = next <= before ? headTimeMs(disk, directory, next) : null
    if (lastAppendTimeMs === null) return []
    const path = segmentPath(directory, base)
    return [{ path, topic, partition, byteLength: disk.size(path), lastAppendTimeMs }]
  })
}

/** Bytes of everything below the data folder that can grow. */
export function folderBytes(disk: Disk, folder: { directory: string; partitionCount: number }): number {
  const { directory, partitionCount } = folder
  const directories = [`${directory}/models`, `${directory}/model-updates`]
  directories.push(...peopleDirectories(directory), `${directory}/watch`)
  for (let partition = 0; partition < partitionCount; partition++) {
    directories.push(inputDirectory(directory, partition), stateDirectory(directory, partition))
    for (const topic of outputTopics) directories.push(outputDirectory(directory, topic, partition))
  }
  return directories.reduce(
    (sum, below) => sum + disk.list(below).reduce((bytes, name) => bytes + sizeOrZero(disk, `${below}/${name}`), 0),
    0,
  )
}

/** A snapshot's file may be taken away between the listing and the look. */
function sizeOrZero(disk: Disk, path: string): number {
  try {
    return disk.size(path)
  } catch {
    return 0
  }
}

/**
 * Hashes of the packages that may go: not among the newest {@link limits.modelPackagesKept}, not in force at or after the
 * oldest input kept, in no snapshot.
 */
export function retirableModels(
  stored: readonly string[],
  published: readonly PublishedModel[],
  oldestInputMs: number,
  inSnapshots: readonly string[],
): string[] {
  const needed = new Set(inSnapshots)
  const distinct = [...new Set(published.toReversed().map(({ sha256 }) => sha256))]
  for (const sha256 of distinct.slice(0, limits.modelPackagesKept)) needed.add(sha256)
  const fromMs = ({ activeFrom, publishedAtMs }: PublishedModel): number => Math.max(activeFrom, publishedAtMs)
  for (const [index, update] of published.entries()) {
    // An update is in force from its `activeFrom`, or from when it was published where that was too late: so one that was
    // published earlier, and for later, replaces this one too.
    const replacedAtMs = Math.min(
      ...published
        .filter((other, at) => fromMs(other) > fromMs(update) || (fromMs(other) === fromMs(update) && at > index))
        .map(fromMs),
    )
    if (replacedAtMs >= oldestInputMs) needed.add(update.sha256)
  }
  return stored.filter((sha256) => !needed.has(sha256))
}
