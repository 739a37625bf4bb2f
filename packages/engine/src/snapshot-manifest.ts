import type { Disk, SharedOperatorState } from '@millwright/core'
import { encodeFrame, fault } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import type { LogPosition } from './segment-names.ts'
import { type StateFileSummary, stateCorrupt } from './state-file.ts'

/** What one snapshot is made of; written last, so that what it names is durable when it is there. */
export interface SnapshotManifest {
  readonly sequence: number
  readonly partition: number
  /** Names plan and code; state is of use only to the same. */
  readonly identity: string
  readonly savedAtMs: number
  /** The next record to process. */
  readonly input: LogPosition
  /** End offset of each output topic: records that were durable when the snapshot was made. */
  readonly outputs: Readonly<Record<string, number>>
  /** `null` at a fresh start: nothing was processed yet. */
  readonly shared: SharedOperatorState | null
  /** Oldest first: a base, then deltas; later entries of a device replace earlier ones. */
  readonly files: readonly StateFileSummary[]
}

const prefix = 'snapshot-'
const suffix = '.mwsnapshot'

export function manifestName(sequence: number): string {
  return `${prefix}${String(sequence).padStart(10, '0')}${suffix}`
}

/** Sequences of the manifests in a folder, newest first. */
export function listManifests(disk: Disk, directory: string): number[] {
  return disk
    .list(directory)
    .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => Number(name.slice(prefix.length, -suffix.length)))
    .filter(Number.isSafeInteger)
    .sort((a, b) => b - a)
}

/**
 * Writes a manifest by way of a temporary name. The files it names must be durable, their names too.
 *
 * @throws What the disk throws; the manifest is then not there.
 */
export async function writeManifest(disk: Disk, directory: string, manifest: SnapshotManifest): Promise<void> {
  const path = `${directory}/${manifestName(manifest.sequence)}`
  const temporary = `${path}.tmp`
  if (disk.exists(temporary)) disk.unlink(temporary)
  const header = { kind: 'snapshot', syncedBefore: true, baseOffset: 0, appendTimeMs: 0, recordCount: 1 } as const
  const bytes = encodeFrame(header, new Uint8Array(0), Buffer.from(JSON.stringify(manifest)))
  const file = disk.open(temporary, 'create')
  try {
    const written = file.write(bytes, 0)
    if (written < bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    await file.syncAsync()
  } finally {
    file.close()
  }
  disk.rename(temporary, path)
  disk.syncDirectory(directory)
}

/** @throws {StateCorruptError} */
export function readManifest(disk: Disk, directory: string, sequence: number): SnapshotManifest {
  const path = `${directory}/${manifestName(sequence)}`
  const file = disk.open(path, 'read')
  try {
    const frame = new FrameReader(file).next(file.size())
    if (frame === null) throw stateCorrupt(path, 0, fault('cut', 'a frame', 'an empty file'))
    if ('fault' in frame) throw stateCorrupt(path, 0, frame)
    if (frame.header.kind !== 'snapshot') throw stateCorrupt(path, 0, fault('kind', 'snapshot', frame.header.kind))
    return JSON.parse(frame.body.toString()) as SnapshotManifest
  } finally {
    file.close()
  }
}
