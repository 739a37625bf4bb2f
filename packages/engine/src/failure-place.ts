import { inputDirectory, stateDirectory } from './data-folder.ts'
import { errorToData, PartitionFailedError, RemoteError } from './errors.ts'
import type { FrameKind } from './frame.ts'
import { LogCursor } from './log-cursor.ts'
import { feedFrame, feedFrameByRecord } from './operator-feed.ts'
import { firstPosition } from './operator-start.ts'
import type { FrameFailure, PartitionHostOptions } from './partition-host.ts'
import type { LogPosition } from './segment-names.ts'
import { SnapshotStore } from './snapshot-store.ts'

/**
 * Finds the record at which an operator threw: restores the newest snapshot once more and processes from there, record
 * by record from the frame of the failure on. Operators are deterministic, so it is thrown again at its cause.
 *
 * @returns The error that names topic, partition and offset. Where nothing is thrown the second time (a user's function
 *   that is not pure) the frame's first record is named, and the message says so.
 */
export async function placeFailure(
  options: PartitionHostOptions,
  failure: FrameFailure,
  durable: LogPosition,
): Promise<PartitionFailedError> {
  try {
    return (
      (await reprocess(options, failure, durable)) ??
      failedAt(options, failure, 'It was not thrown again when processed anew')
    )
  } catch (error) {
    return failedAt(options, failure, `Its record could not be found: ${errorToData(error).message}`)
  }
}

async function reprocess(
  options: PartitionHostOptions,
  failure: FrameFailure,
  durable: LogPosition,
): Promise<PartitionFailedError | null> {
  const { disk, partition, identity, models } = options
  const store = new SnapshotStore(disk, stateDirectory(options.directory, partition), partition)
  const silent = { emit: () => undefined }
  const { manifest, operator } = await store.load(identity, () => options.createOperator(partition, silent))
  const directory = inputDirectory(options.directory, partition)
  const from = manifest?.input.offset ?? 0
  const cursor = new LogCursor(
    disk,
    directory,
    firstPosition({ disk, directory, models, manifest, identity, operator, from }),
  )
  let at = cursor.position.offset
  let kind: FrameKind = 'readings'
  try {
    for (let frame = cursor.next(durable); frame !== null; frame = cursor.next(durable)) {
      kind = frame.header.kind
      at = frame.header.baseOffset
      if (at < failure.sliceStart) feedFrame(operator, frame, models)
      else
        feedFrameByRecord(operator, frame, models, (offset) => {
          at = offset
        })
    }
    return null
  } catch (error) {
    return failed(partition, kind, at, error, '')
  } finally {
    cursor.close()
  }
}

function failedAt(options: PartitionHostOptions, failure: FrameFailure, note: string): PartitionFailedError {
  return failed(options.partition, failure.kind ?? 'readings', failure.frameStart, failure.cause, note)
}

function failed(
  partition: number,
  kind: FrameKind,
  offset: number,
  error: unknown,
  note: string,
): PartitionFailedError {
  const cause = errorToData(error)
  const topic = topicOf(kind)
  return new PartitionFailedError(
    `Cannot process the record at offset ${offset} of "${topic}", partition ${partition}: ${cause.message}. ` +
      `The plant stopped; nothing is lost, and it begins with this record when it is started again. ${note}`.trimEnd(),
    { details: { topic, partition, offset }, cause: new RemoteError(cause) },
  )
}

function topicOf(kind: FrameKind): string {
  if (kind === 'readings') return 'sensor-data'
  if (kind === 'activation') return 'model-updates'
  return kind
}
