import { dirname } from 'node:path'
import { type Disk, type OutputTopic, outputTopics } from '@millwright/core'
import { diskError, PartitionCountError, StoreLockedError, StoreVersionError, systemCode } from './errors.ts'

/**
 * The folder that holds everything a plant has stored (docs/formats/data-folder.md): its names, its version, its lock.
 *
 * D1. Nothing in the folder is created or changed before its version was found to be ours (or the folder empty).
 * D2. One process writes: it holds the lock, which ends with it however it dies.
 */

/** Version of everything stored below the folder. A release opens the versions that its fixtures hold, and no newer one. */
export const storeVersion = 1

const formatName = 'format'
const lockName = 'lock'
const engineName = 'engine.json'

/** Folder of the input log of a partition. */
export function inputDirectory(directory: string, partition: number): string {
  return `${directory}/input/${partition}`
}

/** Folder of the log of one output topic of a partition. */
export function outputDirectory(directory: string, topic: OutputTopic, partition: number): string {
  return `${directory}/output/${topic}/${partition}`
}

/** Folder of the snapshots of a partition. */
export function stateDirectory(directory: string, partition: number): string {
  return `${directory}/state/${partition}`
}

/** Folder of the model packages. */
export function modelsDirectory(directory: string): string {
  return `${directory}/models`
}

/** Folder of the log of model updates. */
export function modelUpdatesDirectory(directory: string): string {
  return `${directory}/model-updates`
}

/** Folder of the log of verdicts. */
export function acceptedFeedbackDirectory(directory: string): string {
  return `${directory}/feedback/accepted`
}

/** Folder of the log of what was sent as a verdict and is none, as dead letters. */
export function refusedFeedbackDirectory(directory: string): string {
  return `${directory}/feedback/refused`
}

/** Folder of the log of commands to cases. */
export function caseCommandsDirectory(directory: string): string {
  return `${directory}/cases/commands`
}

/** Folder of the log of the topic `cases`. */
export function caseMessagesDirectory(directory: string): string {
  return `${directory}/cases/messages`
}

/** Folders of the logs of what people found and did, and of what follows from it. Each is made when its first record comes. */
export function peopleDirectories(directory: string): string[] {
  const folders = [acceptedFeedbackDirectory, refusedFeedbackDirectory, caseCommandsDirectory, caseMessagesDirectory]
  return folders.map((folder) => folder(directory))
}

/**
 * Makes the folders of a store where they are not there, and syncs each folder that holds one: a log whose folder is not
 * on stable storage is not either.
 *
 * @throws {DiskFullError | DiskFailedError}
 */
export function layOutFolder(disk: Disk, directory: string, partitionCount: number): void {
  const leaves = [modelsDirectory(directory), modelUpdatesDirectory(directory)]
  for (let partition = 0; partition < partitionCount; partition++) {
    leaves.push(inputDirectory(directory, partition), stateDirectory(directory, partition))
    for (const topic of outputTopics) leaves.push(outputDirectory(directory, topic, partition))
  }
  try {
    // A package may be there whose name its dead process did not sync.
    const holders = new Set<string>([modelsDirectory(directory)])
    for (const leaf of leaves) {
      disk.makeDirectory(leaf)
      for (let folder = dirname(leaf); folder.length > directory.length; folder = dirname(folder)) holders.add(folder)
    }
    for (const folder of [...holders, directory, dirname(directory)]) disk.syncDirectory(folder)
  } catch (error) {
    throw diskError(error, 'make the folders of', directory)
  }
}

/** What the folder says of itself. */
export interface StoreFormat {
  readonly version: number
  readonly partitionCount: number
}

/**
 * Reads the version of a data folder; `null` for one that is empty or not there.
 *
 * @throws {StoreVersionError} When it is of a newer version, or holds something else.
 * @throws {DiskFailedError}
 */
export function readFormat(disk: Disk, directory: string): StoreFormat | null {
  try {
    return findFormat(disk, directory)
  } catch (error) {
    throw diskError(error, 'read', directory)
  }
}

function findFormat(disk: Disk, directory: string): StoreFormat | null {
  const path = `${directory}/${formatName}`
  if (!disk.exists(path)) {
    const strangers = disk.list(directory).filter((name) => name !== lockName && name !== `${formatName}.tmp`)
    if (strangers.length === 0) return null
    throw new StoreVersionError(
      `Cannot use "${directory}" as a data folder as it must be empty or hold a file "${formatName}": found "${strangers[0]}"`,
      { details: { directory, found: strangers[0] ?? '' } },
    )
  }
  const text = readText(disk, path)
  const format = parseFormat(text)
  if (format === null)
    throw new StoreVersionError(
      `Cannot use "${directory}" as "${path}" must say its version: found ${JSON.stringify(text.slice(0, 80))}`,
      {
        details: { directory },
      },
    )
  if (format.version > storeVersion)
    throw new StoreVersionError(
      `Cannot open "${directory}" as its version must be <= ${storeVersion}: found ${format.version}. ` +
        'It was written by a newer release: run that one. Nothing was changed',
      { details: { directory, version: format.version, versionMax: storeVersion } },
    )
  return format
}

/** Like {@link readFormat}, for those who only read. @throws {StoreVersionError} Also when nothing is there. */
export function requireFormat(disk: Disk, directory: string): StoreFormat {
  const format = readFormat(disk, directory)
  if (format !== null) return format
  const found = disk.exists(directory) ? `it has no file "${formatName}"` : 'it does not exist'
  throw new StoreVersionError(
    `Cannot read "${directory}" as it must be a data folder: ${found}. Run a plant on it first, or name another`,
    { details: { directory } },
  )
}

/** @throws {PartitionCountError} When the folder was made for another number of partitions. */
export function requirePartitionCount(directory: string, format: StoreFormat, partitionCount: number): void {
  if (format.partitionCount === partitionCount) return
  throw new PartitionCountError(
    `Cannot open "${directory}" as its partition count must be that of the plan: found ${format.partitionCount}, wanted ` +
      `${partitionCount}. A device's partition follows from the count: begin a new data folder, or set the count back`,
    { details: { directory, found: format.partitionCount, wanted: partitionCount } },
  )
}

/** Makes an empty folder a data folder. @throws {DiskFullError | DiskFailedError} */
export function writeFormat(disk: Disk, directory: string, partitionCount: number): void {
  writeText(
    disk,
    directory,
    formatName,
    `${JSON.stringify({ format: 'millwright-store', version: storeVersion, partitionCount })}\n`,
  )
}

/**
 * Takes the lock of a folder and returns what gives it back.
 *
 * @throws {StoreLockedError} When another process holds it; names that process where it can.
 */
export function lockFolder(disk: Disk, directory: string): () => void {
  const path = `${directory}/${lockName}`
  let release: (() => void) | null
  try {
    disk.makeDirectory(directory)
    release = disk.lock(path)
  } catch (error) {
    throw diskError(error, 'lock', path)
  }
  if (release !== null) return release
  const holder = readEngineInfo(disk, directory)
  const who = holder === null ? 'another process' : `process ${holder.pid}`
  throw new StoreLockedError(
    `Cannot write to "${directory}" as one process may at a time: ${who} does. ` +
      'Stop it first, or send to it by HTTP; reading (`millwright topics`) needs no lock',
    { details: { directory, pid: holder?.pid ?? null } },
  )
}

/** What a running engine says of itself, for other commands to find it. */
export interface EngineInfo {
  readonly pid: number
  /** `null` until, or unless, it listens. */
  readonly httpPort: number | null
  readonly startedAtMs: number
}

/** @throws {DiskFullError | DiskFailedError} */
export function writeEngineInfo(disk: Disk, directory: string, info: EngineInfo): void {
  writeText(disk, directory, engineName, `${JSON.stringify(info)}\n`)
}

/** Reads what the last engine wrote; it may have died since. `null` when there is nothing that can be read. */
export function readEngineInfo(disk: Disk, directory: string): EngineInfo | null {
  const path = `${directory}/${engineName}`
  try {
    const info: unknown = JSON.parse(readText(disk, path))
    if (typeof info !== 'object' || info === null || !('pid' in info) || typeof info.pid !== 'number') return null
    const { pid } = info
    const httpPort = 'httpPort' in info && typeof info.httpPort === 'number' ? info.httpPort : null
    const startedAtMs = 'startedAtMs' in info && typeof info.startedAtMs === 'number' ? info.startedAtMs : 0
    return { pid, httpPort, startedAtMs }
  } catch {
    // Not there, or half of it: it is a hint, and the lock is what counts.
    return null
  }
}

export function removeEngineInfo(disk: Disk, directory: string): void {
  const path = `${directory}/${engineName}`
  if (disk.exists(path)) disk.unlink(path)
}

function parseFormat(text: string): StoreFormat | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== 'millwright-store')
      return null
    if (!('version' in value) || typeof value.version !== 'number' || !Number.isInteger(value.version)) return null
    const partitionCount = 'partitionCount' in value ? value.partitionCount : 0
    return { version: value.version, partitionCount: typeof partitionCount === 'number' ? partitionCount : 0 }
  } catch {
    return null
  }
}

function readText(disk: Disk, path: string): string {
  const file = disk.open(path, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(file.size(), 64 * 1024))
    return bytes.toString('utf8', 0, file.read(bytes, 0))
  } finally {
    file.close()
  }
}

function writeText(disk: Disk, directory: string, name: string, text: string): void {
  const path = `${directory}/${name}`
  try {
    if (disk.exists(`${path}.tmp`)) disk.unlink(`${path}.tmp`)
    const file = disk.open(`${path}.tmp`, 'create')
    try {
      const bytes = Buffer.from(text)
      if (file.write(bytes, 0) < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
      file.sync()
    } finally {
      file.close()
    }
    disk.rename(`${path}.tmp`, path)
    disk.syncDirectory(directory)
  } catch (error) {
    throw diskError(error, 'write', path)
  }
}

/** Whether an engine that wrote {@link EngineInfo} seems to run; only its lock tells for certain. */
export function seemsRunning(info: EngineInfo): boolean {
  try {
    process.kill(info.pid, 0)
    return true
  } catch (error) {
    return systemCode(error) === 'EPERM'
  }
}
