import { assert, DurationHistogram, limits } from '@millwright/core'
import { CaseLog } from './case-log.ts'
import {
  inputDirectory,
  layOutFolder,
  lockFolder,
  modelsDirectory,
  modelUpdatesDirectory,
  readFormat,
  removeEngineInfo,
  requirePartitionCount,
  type StoreFormat,
  writeEngineInfo,
  writeFormat,
} from './data-folder.ts'
import { Engine } from './engine.ts'
import { type EngineOptions, type ResolvedOptions, resolveOptions } from './engine-options.ts'
import { FeedbackLog } from './feedback-log.ts'
import { FreeSpace } from './free-space.ts'
import { requireThrough } from './log-scan.ts'
import { ModelPublisher } from './model-publisher.ts'
import { ModelStore } from './model-store.ts'
import { ModelUpdates, readModelUpdates } from './model-updates.ts'
import type { PreparedPartition } from './partition-host.ts'
import { PartitionInput, type ScannedInput, scanInput } from './partition-input.ts'
import { ProgressBoard } from './progress-board.ts'
import type { PartitionRecovery } from './recovery-report.ts'
import { Retainer } from './retainer.ts'
import { Runners } from './runners.ts'
import { Subscriptions } from './subscriptions.ts'

/**
 * Opens the engine of a plant on a data folder, which is made where there is none. Everything is read and checked first;
 * only then the first byte is changed. Resolves when records can be appended; what a crash left unprocessed is processed
 * from then on.
 *
 * @throws {StoreVersionError} The folder is of a newer release, or no data folder.
 * @throws {PartitionCountError} It was made for another number of partitions.
 * @throws {StoreLockedError} Another process writes to it; the message names it.
 * @throws An error with code `LOG_CORRUPT`, `STATE_CORRUPT` or `MODEL_MISSING`: what is stored is not what was written;
 *   the message says what to do.
 * @throws {DiskFullError | DiskFailedError}
 */
export async function openEngine(engineOptions: EngineOptions): Promise<Engine> {
  const options = resolveOptions(engineOptions)
  const { disk, directory, partitionCount } = options
  assert(partitionCount >= 1 && partitionCount <= limits.partitionsMax, 'a plant has 1–64 partitions')
  assert(options.operators.mode === 'inline' || engineOptions.disk === undefined, 'another disk works inline only')
  // Before the lock: a folder of a newer release is not even locked.
  requireOurs(options)
  const unlock = lockFolder(disk, directory)
  try {
    return await openLocked(options, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

async function openLocked(options: ResolvedOptions, unlock: () => void): Promise<Engine> {
  const { disk, directory, partitionCount, clock } = options
  const isNew = requireOurs(options) === null
  const board = new ProgressBoard(clock)
  const subscriptions = new Subscriptions()
  const space = new FreeSpace(disk, directory, options.diskReserveBytes, options.elapsedMs)
  let engine: Engine | null = null
  let earlyFailure: Error | null = null
  const fail = (error: Error): void => {
    if (engine === null) earlyFailure ??= error
    else engine.onFailed(error)
  }
  const runners = new Runners(options, {
    onProgress: (progress) => {
      board.onProgress(progress)
      engine?.onProgress()
    },
    onRecords: (topic, partition, records) => subscriptions.tell(topic, partition, records),
    onSnapshot: (report) => board.onSnapshot(report),
    onStalled: (partition, error) => {
      board.onStalled(partition, error)
      space.forget()
    },
    onFailed: fail,
  })
  const opened: (() => void)[] = []
  try {
    const found = await readAll(options, runners)
    // Nothing has been changed up to here.
    if (isNew) writeFormat(disk, directory, partitionCount)
    layOutFolder(disk, directory, partitionCount)
    opened.push(() => removeEngineInfo(disk, directory))
    writeEngineInfo(disk, directory, { pid: process.pid, httpPort: null, startedAtMs: clock.nowMs() })
    const { updates: foundUpdates } = found
    const updatesDirectory = modelUpdatesDirectory(directory)
    const updates = new ModelUpdates(
      disk,
      updatesDirectory,
      foundUpdates.scan,
      foundUpdates.published,
      options.segmentBytesMax,
    )
    opened.push(() => updates.close())
    const commits = new DurationHistogram()
    const inputs = found.inputs.map((scanned, partition) => {
      const input = openInput(options, partition, scanned, { runners, commits, fail })
      opened.push(() => input.close())
      return input
    })
    const started = await runners.start(
      inputs.map(({ partition, durable }) => ({
        partition,
        durable,
        inputNeeded: found.prepared.get(partition)?.inputNeeded ?? 0,
      })),
    )
    for (const progress of started) board.onProgress(progress)
    const models = new ModelStore(disk, modelsDirectory(directory))
    const publisher = new ModelPublisher({ options, store: models, updates, inputs, space })
    const activationsCompleted = await publisher.activateMissing()
    const recovery = {
      activationsCompleted,
      partitions: inputs.map(({ partition, nextOffset }) => {
        const processedFrom = started.find((progress) => progress.partition === partition)?.processed.offset ?? 0
        const tornInputBytes = found.inputs[partition]?.scan.tornBytes ?? 0
        return partitionRecovery(found.prepared.get(partition), {
          partition,
          processedFrom,
          endOffset: nextOffset,
          tornInputBytes,
        })
      }),
    }
    opened.push(() => found.feedback.close())
    opened.push(() => found.cases.close())
    const retainer = new Retainer({ options, inputs, models, publisher, board, space })
    engine = new Engine({
      options,
      recovery,
      inputs,
      updates,
      feedback: found.feedback,
      cases: found.cases,
      publisher,
      retainer,
      runners,
      subscriptions,
      board,
      space,
      commits,
      unlock,
    })
    if (earlyFailure !== null) engine.onFailed(earlyFailure)
    return engine
  } catch (error) {
    await runners.terminate()
    for (const close of opened.reverse()) closeQuietly(close)
    throw error
  }
}

/** What is stored, read and checked. @throws When any of it is damaged. */
async function readAll(options: ResolvedOptions, runners: Runners): Promise<FoundStore> {
  const { disk, directory, partitionCount, segmentBytesMax } = options
  // Workers read outputs and state while the input is read here.
  const preparing = runners.prepare()
  // Whoever fails first, the other's failure must not go unheard.
  preparing.catch(() => undefined)
  const inputs = Array.from({ length: partitionCount }, (_, p) => scanInput(disk, inputDirectory(directory, p)))
  const updates = readModelUpdates(disk, modelUpdatesDirectory(directory))
  const feedback = new FeedbackLog(disk, directory, segmentBytesMax)
  feedback.check()
  const cases = new CaseLog(disk, directory, segmentBytesMax)
  cases.check()
  const prepared = new Map((await preparing).map((partition) => [partition.partition, partition]))
  for (const [partition, { scan }] of inputs.entries())
    requireThrough(inputDirectory(directory, partition), scan, prepared.get(partition)?.inputNeeded ?? 0)
  return { inputs, updates, feedback, cases, prepared }
}

interface FoundStore {
  readonly inputs: readonly ScannedInput[]
  readonly updates: ReturnType<typeof readModelUpdates>
  readonly feedback: FeedbackLog
  readonly cases: CaseLog
  readonly prepared: ReadonlyMap<number, PreparedPartition>
}

function openInput(
  options: ResolvedOptions,
  partition: number,
  scanned: ScannedInput,
  to: { readonly runners: Runners; readonly commits: DurationHistogram; readonly fail: (error: Error) => void },
): PartitionInput {
  const { disk, directory, segmentBytesMax, clock, elapsedMs, onPhase } = options
  const input: PartitionInput = new PartitionInput({
    partition,
    disk,
    directory: inputDirectory(directory, partition),
    scanned,
    segmentBytesMax,
    clock,
    elapsedMs,
    onPhase,
    onDurable: () => to.runners.durable(partition, input.durable),
    onCommit: (commitMs) => to.commits.add(commitMs),
    onBroken: to.fail,
  })
  return input
}

function partitionRecovery(
  prepared: PreparedPartition | undefined,
  place: Pick<PartitionRecovery, 'partition' | 'processedFrom' | 'endOffset' | 'tornInputBytes'>,
): PartitionRecovery {
  return {
    ...place,
    snapshot: prepared?.snapshot ?? null,
    previousIdentity: prepared?.previousIdentity ?? null,
    snapshotDamage: prepared?.snapshotDamage ?? null,
    tornOutputBytes: prepared?.tornOutputBytes ?? 0,
  }
}

/** @throws {StoreVersionError | PartitionCountError} Unless the folder is ours or empty. */
function requireOurs({ disk, directory, partitionCount }: ResolvedOptions): StoreFormat | null {
  const format = readFormat(disk, directory)
  if (format !== null) requirePartitionCount(directory, format, partitionCount)
  return format
}

function closeQuietly(close: () => void): void {
  try {
    close()
  } catch {
    // The error that ended the opening is the one to be told.
  }
}
