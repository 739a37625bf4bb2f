import { assert, type Disk, type PartitionOperator } from '@millwright/core'
import { InputState, standingActivations } from './input-state.ts'
import { LogCursor, segmentOf } from './log-cursor.ts'
import type { ModelCache } from './model-cache.ts'
import type { LogPosition } from './segment-names.ts'
import type { SnapshotManifest } from './snapshot-manifest.ts'

export interface OperatorStart {
  readonly disk: Disk
  /** Folder of the partition's input log. */
  readonly directory: string
  readonly models: ModelCache
  /** The snapshot the operator's device states come from; `null` when there is none. */
  readonly manifest: SnapshotManifest | null
  readonly identity: string
  readonly operator: PartitionOperator
  /** Where to begin with an empty state, when the snapshot holds none for this identity. */
  readonly from: number
}

/**
 * Finds the first frame to process and gives the operator what it must know there that is not of a device: the shared
 * state of its snapshot or, where it begins empty, the models that are in force.
 *
 * Beginning empty inside a frame means at the frame's start; what that yields a second time is suppressed by its mark.
 *
 * @throws {ModelMissingError | LogCorruptError}
 */
export function firstPosition(start: OperatorStart): LogPosition {
  const { manifest, identity, operator, models } = start
  if (manifest?.identity === identity && manifest.shared !== null) {
    operator.restoreShared(manifest.shared, (sha256) => {
      const model = models.load(sha256)
      // The state is of this very plan, which took the model when it was made.
      assert(model !== null, `the plan takes the model ${sha256} that its own state names`)
      return model
    })
    return manifest.input
  }
  const { position, state, nowMs } = stateBefore(start.disk, start.directory, start.from)
  for (const { update, seenAtMs } of standingActivations(state.activations, nowMs)) {
    const model = models.load(update.sha256)
    if (model !== null) operator.activate({ model, activeFromMs: update.activeFrom, seenAtMs }, position.offset)
  }
  return position
}

/** The frame that holds the record at `from` (the oldest there is, the end), and what the log says before it. */
function stateBefore(
  disk: Disk,
  directory: string,
  from: number,
): { position: LogPosition; state: InputState; nowMs: number } {
  const state = new InputState()
  const segment = segmentOf(disk, directory, from)
  if (segment === null) return { position: { segment: 0, bytes: 0, offset: 0 }, state, nowMs: 0 }
  let position = segment
  let nowMs = 0
  const cursor = new LogCursor(disk, directory, segment)
  try {
    for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null)) {
      const { kind, appendTimeMs } = frame.header
      // The head says what is in force where the segment begins, also when that is the place looked for.
      if (kind !== 'log-state' && cursor.position.offset > from) break
      state.apply(frame)
      nowMs = appendTimeMs
      position = cursor.position
    }
  } finally {
    cursor.close()
  }
  return { position, state, nowMs }
}
