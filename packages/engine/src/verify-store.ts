import { type Disk, outputTopics } from '@millwright/core'
import {
  inputDirectory,
  modelsDirectory,
  modelUpdatesDirectory,
  outputDirectory,
  readFormat,
  stateDirectory,
} from './data-folder.ts'
import { ModelStore } from './model-store.ts'
import { NodeDisk } from './node-disk.ts'
import { listManifests, manifestName, readManifest } from './snapshot-manifest.ts'
import { readStateFile } from './state-file.ts'
import { type StoreProblem, verifyLog } from './verify-log.ts'

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
  const partitions = Array.from({ length: partitionCount }, (_, p) => p)
  const logs = [
    modelUpdatesDirectory(directory),
    ...partitions.flatMap((p) => [
      inputDirectory(directory, p),
      ...outputTopics.map((topic) => outputDirectory(directory, topic, p)),
    ]),
  ].map((folder) => verifyLog(disk, folder))
  const states = partitions.map((p) => verifyState(disk, stateDirectory(directory, p)))
  const models = verifyModels(disk, modelsDirectory(directory))
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  return {
    directory,
    version: format?.version ?? null,
    partitionCount,
    segmentCount: sum(logs.map((log) => log.segmentCount)),
    recordCount: sum(logs.map((log) => log.recordCount)),
    byteLength: sum(logs.map((log) => log.byteLength)),
    tornBytes: sum(logs.map((log) => log.tornBytes)),
    snapshotCount: sum(states.map((state) => state.snapshotCount)),
    modelCount: models.modelCount,
    problems: [logs, states, [models]].flatMap((checks) => checks.flatMap(({ problems }) => problems)),
  }
}

function verifyState(disk: Disk, directory: string): { snapshotCount: number; problems: StoreProblem[] } {
  const sequences = listManifests(disk, directory).slice(0, 2)
  const problems: StoreProblem[] = []
  for (const sequence of sequences) {
    try {
      const manifest = readManifest(disk, directory, sequence)
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
  return { snapshotCount: sequences.length, problems }
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
