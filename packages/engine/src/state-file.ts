import type { DeviceStateEntry, Disk, DiskFile } from '@millwright/core'
import { limits } from '@millwright/core'
import { StateCorruptError } from './errors.ts'
import { type FrameFault, fault } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameStaging } from './frame-staging.ts'

/**
 * A file of device states: frames of entries, each device at most once (docs/formats/state.md). Written once, never changed.
 */

const entryHeadBytes = 6
const forgotten = 0xffffffff

/** Written between two turns of the event loop, so that input does not wait for a large snapshot. */
const turnBytes = 1024 * 1024
/** Synced at once, so that no other file's sync has to wait for hundreds of megabytes. */
const syncBytes = 8 * 1024 * 1024

export interface StateFileSummary {
  readonly name: string
  readonly byteLength: number
  readonly entryCount: number
}

/**
 * Writes a state file in slices and syncs it; resolves when its bytes are durable (its name is not yet).
 *
 * @throws What the disk throws; the file may then be there in part.
 */
export async function writeStateFile(
  disk: Disk,
  directory: string,
  name: string,
  entries: Iterable<DeviceStateEntry>,
): Promise<StateFileSummary> {
  const file = disk.open(`${directory}/${name}`, 'create')
  try {
    const writer = new StateFileWriter(file)
    for (const entry of entries) if (writer.add(entry)) await writer.turn()
    return { name, ...(await writer.finish()) }
  } finally {
    file.close()
  }
}

class StateFileWriter {
  readonly #file: DiskFile
  readonly #staging = new FrameStaging()
  #byteLength = 0
  #syncedBytes = 0
  #entryCount = 0

  constructor(file: DiskFile) {
    this.#file = file
  }

  /** Returns whether enough is staged for a turn. */
  add({ deviceId, state }: DeviceStateEntry): boolean {
    if (this.#staging.openBodyBytes >= limits.frameBytesMax) this.#staging.seal(new Uint8Array(0))
    if (this.#staging.openBodyBytes < 0) this.#staging.open('device-states', this.#entryCount, 0, 0)
    const at = this.#staging.reserve(entryHeadBytes + 3 * deviceId.length + (state?.length ?? 0))
    const memory = this.#staging.memory
    const idBytes = memory.write(deviceId, at + entryHeadBytes)
    memory.writeUInt16LE(idBytes, at)
    memory.writeUInt32LE(state === null ? forgotten : state.length, at + 2)
    if (state !== null) memory.set(state, at + entryHeadBytes + idBytes)
    this.#staging.advance(entryHeadBytes + idBytes + (state?.length ?? 0), 1)
    this.#entryCount += 1
    return this.#staging.byteLength >= turnBytes
  }

  async turn(): Promise<void> {
    this.#write()
    if (this.#byteLength - this.#syncedBytes >= syncBytes) {
      const reached = this.#byteLength
      await this.#file.syncAsync()
      this.#syncedBytes = reached
    } else await new Promise((resolve) => setImmediate(resolve))
  }

  async finish(): Promise<{ byteLength: number; entryCount: number }> {
    this.#write()
    await this.#file.syncAsync()
    return { byteLength: this.#byteLength, entryCount: this.#entryCount }
  }

  #write(): void {
    if (this.#staging.openBodyBytes >= 0) this.#staging.seal(new Uint8Array(0))
    const staged = this.#staging.first(Number.POSITIVE_INFINITY)
    if (staged === null) return
    const written = this.#file.write(staged.frames, this.#byteLength)
    if (written < staged.frames.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    this.#byteLength += written
    this.#staging.clear()
  }
}

/**
 * Reads the entries of a state file in order. States are copies.
 *
 * @throws {StateCorruptError} When the file is not what `summary` says, whole.
 */
export function* readStateFile(disk: Disk, directory: string, summary: StateFileSummary): Generator<DeviceStateEntry> {
  const path = `${directory}/${summary.name}`
  if (!disk.exists(path)) throw stateCorrupt(path, 0, fault('cut', 'a file', 'none'))
  const file = disk.open(path, 'read')
  try {
    const sizeBytes = file.size()
    if (sizeBytes !== summary.byteLength)
      throw stateCorrupt(path, sizeBytes, fault('cut', `${summary.byteLength} bytes`, String(sizeBytes)))
    const reader = new FrameReader(file)
    let entryCount = 0
    for (;;) {
      const frame = reader.next(sizeBytes)
      if (frame === null) break
      if ('fault' in frame) throw stateCorrupt(path, reader.positionBytes, frame)
      const { kind, baseOffset, recordCount } = frame.header
      if (kind !== 'device-states') throw stateCorrupt(path, frame.startBytes, fault('kind', 'device-states', kind))
      if (baseOffset !== entryCount)
        throw stateCorrupt(path, frame.startBytes, fault('offset', String(entryCount), String(baseOffset)))
      yield* decodeEntries(frame.body, recordCount)
      entryCount += recordCount
    }
    if (entryCount !== summary.entryCount)
      throw stateCorrupt(path, sizeBytes, fault('cut', `${summary.entryCount} entries`, String(entryCount)))
  } finally {
    file.close()
  }
}

function* decodeEntries(body: Buffer, recordCount: number): Generator<DeviceStateEntry> {
  let at = 0
  for (let entry = 0; entry < recordCount; entry++) {
    const idBytes = body.readUInt16LE(at)
    const stateBytes = body.readUInt32LE(at + 2)
    const stateAt = at + entryHeadBytes + idBytes
    const deviceId = body.toString('utf8', at + entryHeadBytes, stateAt)
    at = stateAt
    if (stateBytes === forgotten) yield { deviceId, state: null }
    else {
      at += stateBytes
      yield { deviceId, state: new Uint8Array(body.subarray(stateAt, at)) }
    }
  }
}

/** The error for a file of state that cannot be believed. */
export function stateCorrupt(path: string, offsetBytes: number, found: FrameFault): StateCorruptError {
  return new StateCorruptError(
    `Cannot read "${path}" at byte ${offsetBytes} as the ${found.fault} must be ${found.expected}: found ${found.found}`,
    { details: { path, offsetBytes, fault: found.fault, expected: found.expected, found: found.found } },
  )
}
