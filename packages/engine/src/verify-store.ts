import { type Disk, outputTopics } from '@millwright/core'
import {
  inputDirectory,
  modelsDirectory,
  modelUpdatesDirectory,
  outputDirectory,
  peopleDirectories,
  readFormat,
  stateDirectory,
} from './data-folder.ts'
import { ModelStore } from './model-store.ts'
import { NodeDisk } from './node-disk.ts'
import { listManifests, manifestName, readManifest, type SnapshotManifest } from './snapshot-manifest.ts'
import { readStateFile } from './state-file.ts'
import { type LogReport, type StoreProblem, verifyLog } from './verify-log.ts'

export interface StoreReport {
  readonly directory: string
  /** `null` for a folder that is empty or not there. */
  readonly version: number | null
  readonly partitionCount: number
  readonly segmentCount: number
  readonly recordCount: number
  readonly byteLength: number
  /** Bytes at the ends of logs that are being written, or that a crash cut short; the next start takes the latter off. */
  readonly tornBytes: number
  readonly snapshotCount: number
  readonly modelCount: number
  readonly problems: readonly StoreProblem[]
}

/**
 * Reads everything that is stored and checks each byte against its checksum, and each log against itself. Changes nothing;
 * may run beside a plant.
 *
 * @throws {StoreVersionError} When the folder is of a newer release, or no data folder.
 */
export function verifyStore(directory: string, disk: Disk = new NodeDisk()): StoreReport {
  const format = readFormat(disk, directory)
  const partitionCount = format?.partitionCount ?? 0
  const partitions = Array.from({ length: partitionCount }, (_, p) => verifyPartition(disk, directory, p))
  const updates = verifyLog(disk, modelUpdatesDirectory(directory))
  const models = verifyModels(disk, modelsDirectory(directory))
  const logs = [
    updates,
    ...peopleDirectories(directory).map((folder) => verifyLog(disk, folder)),
    ...partitions.flatMap((partition) => partition.logs),
  ]
  return {
    directory,
    version: format?.version ?? null,
    partitionCount,
    segmentCount: sum(logs.map((log) => log.segmentCount)),
    recordCount: sum(logs.map((log) => log.recordCount)),
    byteLength: sum(logs.map((log) => log.byteLength)),
    tornBytes: sum(logs.map((log) => log.tornBytes)),
    snapshotCount: sum(partitions.map(({ snapshotCount }) => snapshotCount)),
    modelCount: models.modelCount,
    problems: [
      ...logs.flatMap(({ problems }) => problems),
      ...partitions.flatMap(({ problems }) => problems),
      ...models.problems,
    ],
  }
}

interface PartitionReport {
  readonly logs: readonly LogReport[]
  readonly snapshotCount: number
  readonly problems: readonly StoreProblem[]
}

/** Logs and snapshots of a partition, and that they know of each other what they must. */
function verifyPartition(disk: Disk, directory: string, partition: number): PartitionReport {
  // Snapshots first: beside a plant that runs, logs only grow meanwhile.
  const state = verifyState(disk, stateDirectory(directory, partition))
  const outputs = outputTopics.map((topic) => {
    const path = outputDirectory(directory, topic, partition)
    return { path, log: verifyLog(disk, path), needed: state.newest?.outputs[topic] ?? 0 }
  })
  const input = inputDirectory(directory, partition)
  const marks = outputs.map(({ log }) => (log.mark?.inputOffset ?? -1) + 1)
  const needs = [
    ...outputs,
    { path: input, log: verifyLog(disk, input), needed: Math.max(state.newest?.input.offset ?? 0, ...marks) },
  ]
  const missing = needs.flatMap(({ path, log, needed }) =>
    log.endOffset >= needed
      ? []
      : [
          {
            path,
            offsetBytes: 0,
            problem: `the log must reach offset ${needed}: found ${log.endOffset}`,
            advice: restore,
          },
        ],
  )
  return {
    logs: needs.map(({ log }) => log),
    snapshotCount: state.snapshotCount,
    problems: [...state.problems, ...missing],
  }
}

const restore = 'Restore the newest segments of this log from a backup'

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

interface StateReport {
  readonly newest: SnapshotManifest | null
  readonly snapshotCount: number
  readonly problems: readonly StoreProblem[]
}

function verifyState(disk: Disk, directory: string): StateReport {
  const sequences = listManifests(disk, directory).slice(0, 2)
  const problems: StoreProblem[] = []
  let newest: SnapshotManifest | null = null
  for (const sequence of sequences) {
    try {
      const manifest = readManifest(disk, directory, sequence)
      newest ??= manifest
      for (const file of manifest.files) for (const _entry of readStateFile(disk, directory, file));
    } catch (error) {
      const path = `${directory}/${manifestName(sequence)}`
      // A plant that runs beside us replaces its snapshots.
      if (!disk.exists(path)) continue
      problems.push({
        path,
        offsetBytes: 0,
        problem: error instanceof Error ? error.message : String(error),
        advice:
          'The next start uses the other snapshot of this partition; where both are damaged, move the folder away',
      })
    }
  }
  return { newest, snapshotCount: sequences.length, problems }
}

function verifyModels(disk: Disk, directory: string): { modelCount: number; problems: StoreProblem[] } {
  const store = new ModelStore(disk, directory)
  const hashes = store.list()
  const problems = hashes.flatMap((sha256) => {
    try {
      store.read(sha256)
      return []
    } catch (error) {
      if (!disk.exists(store.path(sha256))) return []
      const problem = error instanceof Error ? error.message : String(error)
      return [{ path: store.path(sha256), offsetBytes: 0, problem, advice: 'Restore the package from a backup' }]
    }
  })
  return { modelCount: hashes.length, problems }
}
