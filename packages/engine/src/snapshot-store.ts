import type { DeviceStateEntry, Disk, PartitionOperator, SharedOperatorState } from '@millwright/core'
import { limits } from '@millwright/core'
import { diskError, StateCorruptError } from './errors.ts'
import type { LogPosition } from './segment-names.ts'
import { listManifests, manifestName, readManifest, type SnapshotManifest, writeManifest } from './snapshot-manifest.ts'
import { readStateFile, type StateFileSummary, writeStateFile } from './state-file.ts'

/**
 * The snapshots of one partition: a base file, deltas over it, and a manifest that names them.
 *
 * T1. A manifest is there only when everything it names is durable, and everything that came before it in the outputs.
 * T2. The two newest manifests and what they name are kept; the rest is removed after the newer manifest is durable.
 * T3. A file is written once under a name that was never used before, and never changed.
 * T4. What `takeDirty` gave and no manifest names yet is kept here, the newest of each device, and goes into the next attempt, so
 *     that a snapshot that failed loses nothing.
 */
export class SnapshotStore {
  readonly directory: string
  readonly #disk: Disk
  readonly #partition: number
  /** Newest first, at most two (T2). */
  #kept: SnapshotManifest[] = []
  #sequence = 0
  #unsaved = new Map<string, DeviceStateEntry>()

  constructor(disk: Disk, directory: string, partition: number) {
    this.#disk = disk
    this.directory = directory
    this.#partition = partition
  }

  /** The newest snapshot, once `load` has found or `save` has made one. */
  get newest(): SnapshotManifest | null {
    return this.#kept[0] ?? null
  }

  /** The snapshots that a recovery may use, newest first. */
  get kept(): readonly SnapshotManifest[] {
    return this.#kept
  }

  /**
   * Finds the newest snapshot that is whole and hands its states to `restore`, which gets a fresh operator for each
   * attempt. A snapshot of another identity is found but not read. Changes nothing on disk.
   *
   * @throws {StateCorruptError} When snapshots are there and neither of the two newest is whole.
   */
  async load(identity: string, restore: () => PartitionOperator | Promise<PartitionOperator>): Promise<LoadedSnapshot> {
    const sequences = listManifests(this.#disk, this.directory)
    this.#sequence = sequences[0] ?? 0
    if (sequences.length === 0) return { manifest: null, operator: await restore(), damage: null }
    let damage: StateCorruptError | null = null
    for (const sequence of sequences.slice(0, 2)) {
      const operator = await restore()
      try {
        const manifest = readManifest(this.#disk, this.directory, sequence)
        if (manifest.identity === identity)
          for (const entry of this.#newestStates(manifest.files)) operator.restore(entry)
        this.#kept = [manifest, ...this.#olderThan(sequence, sequences)]
        return { manifest, operator, damage }
      } catch (error) {
        if (!(error instanceof StateCorruptError)) throw error
        damage ??= error
      }
    }
    throw new StateCorruptError(
      `Cannot restore partition ${this.#partition} as one of its two newest snapshots must be whole. ` +
        `Nothing was changed. Move "${this.directory}" away to have the state calculated again from the oldest input kept`,
      { details: { ...damage?.details, partition: this.#partition, directory: this.directory }, cause: damage },
    )
  }

  /** The snapshot before one that is whole, to fall back on later (T2); whether it is whole is seen when it is needed. */
  #olderThan(sequence: number, sequences: readonly number[]): SnapshotManifest[] {
    const older = sequences.find((other) => other < sequence)
    try {
      return older === undefined ? [] : [readManifest(this.#disk, this.directory, older)]
    } catch (error) {
      if (error instanceof StateCorruptError) return []
      throw error
    }
  }

  /** Removes what no kept manifest names: rests of a snapshot that was cut short, snapshots that are not whole. */
  removeRests(): void {
    // The process that made the newest one may have died before its name was on stable storage.
    this.#disk.syncDirectory(this.directory)
    for (const name of this.#disk.list(this.directory))
      if (!this.#isNamed(name)) this.#disk.unlink(`${this.directory}/${name}`)
  }

  /** Takes over what is to be in the next snapshot (T4). Not to be called while one is being saved. */
  keep(entries: readonly DeviceStateEntry[]): void {
    for (const entry of entries) this.#unsaved.set(entry.deviceId, entry)
  }

  /**
   * Writes a snapshot of what was kept; resolves with its size and kind when it is durable.
   *
   * @throws {DiskFullError | DiskFailedError} The snapshot before stays in force; nothing is lost (T4).
   */
  async save(cut: SnapshotCut): Promise<SavedSnapshot> {
    this.#sequence += 1
    const made: string[] = []
    try {
      const files = await this.#writeFiles(cut, made)
      this.#disk.syncDirectory(this.directory)
      const manifest: SnapshotManifest = {
        sequence: this.#sequence,
        partition: this.#partition,
        identity: cut.identity,
        savedAtMs: cut.savedAtMs,
        input: cut.input,
        outputs: cut.outputs,
        shared: cut.shared,
        files,
      }
      made.push(`${manifestName(this.#sequence)}.tmp`)
      await writeManifest(this.#disk, this.directory, manifest)
      this.#unsaved.clear()
      this.#kept = [manifest, ...this.#kept].slice(0, 2)
    } catch (error) {
      this.#removeQuietly(made)
      throw diskError(error, 'write a snapshot to', this.directory)
    }
    await this.#removeUnnamed()
    return { writtenBytes: this.#writtenBytes(made), byteLength: this.#byteLength() }
  }

  /** A base where nothing is to be built on, where all devices changed, or where the deltas have grown as large as it. */
  async #writeFiles(cut: SnapshotCut, made: string[]): Promise<readonly StateFileSummary[]> {
    const earlier = this.newest?.identity === cut.identity ? this.newest.files : []
    const [base, ...deltas] = earlier
    const entries = [...this.#unsaved.values()]
    if (base === undefined) return entries.length === 0 ? [] : [await this.#write('base', entries.filter(isKept), made)]
    const states = entries.filter(isKept)
    if (entries.length === 0) return earlier
    if (states.length === cut.deviceCount) return [await this.#write('base', states, made)]
    const delta = await this.#write('delta', entries, made)
    const files = [...earlier, delta]
    const deltaBytes = deltas.reduce((sum, file) => sum + file.byteLength, delta.byteLength)
    if (deltaBytes < base.byteLength && deltas.length + 1 < limits.snapshotDeltasMax) return files
    return [await this.#write('base', this.#newestStates(files), made)]
  }

  async #write(kind: 'base' | 'delta', entries: Iterable<DeviceStateEntry>, made: string[]): Promise<StateFileSummary> {
    const name = `${kind}-${String(this.#sequence).padStart(10, '0')}.mwstate`
    made.push(name)
    return await writeStateFile(this.#disk, this.directory, name, entries)
  }

  /** The newest state of each device that was not forgotten. Devices of one file are remembered only while it is not the last. */
  *#newestStates(files: readonly StateFileSummary[]): Generator<DeviceStateEntry> {
    const seen = new Set<string>()
    const newestFirst = [...files].reverse()
    for (const [index, file] of newestFirst.entries()) {
      const isLast = index === newestFirst.length - 1
      for (const entry of readStateFile(this.#disk, this.directory, file)) {
        if (seen.has(entry.deviceId)) continue
        if (!isLast) seen.add(entry.deviceId)
        if (entry.state !== null) yield entry
      }
    }
  }

  #isNamed(name: string): boolean {
    return this.#kept.some(
      (manifest) => manifestName(manifest.sequence) === name || manifest.files.some((file) => file.name === name),
    )
  }

  async #removeUnnamed(): Promise<void> {
    for (const name of this.#disk.list(this.directory))
      if (!this.#isNamed(name))
        // What cannot be removed now is removed after the next snapshot or start.
        await this.#disk.unlinkAsync(`${this.directory}/${name}`).catch(() => undefined)
  }

  #removeQuietly(names: readonly string[]): void {
    for (const name of names) {
      try {
        if (this.#disk.exists(`${this.directory}/${name}`)) this.#disk.unlink(`${this.directory}/${name}`)
      } catch {
        // As above.
      }
    }
  }

  #writtenBytes(made: readonly string[]): number {
    const files = this.newest?.files ?? []
    return files.filter((file) => made.includes(file.name)).reduce((sum, file) => sum + file.byteLength, 0)
  }

  #byteLength(): number {
    return (this.newest?.files ?? []).reduce((sum, file) => sum + file.byteLength, 0)
  }
}

export interface LoadedSnapshot {
  /** `null` when there was never one. */
  readonly manifest: SnapshotManifest | null
  /** Holds the states of the manifest where the identity is the same, else none. */
  readonly operator: PartitionOperator
  /** What was wrong with a newer snapshot that could not be used. */
  readonly damage: StateCorruptError | null
}

/** What a snapshot holds beside the states of devices, taken between two records. */
export interface SnapshotCut {
  readonly identity: string
  readonly savedAtMs: number
  readonly input: LogPosition
  readonly outputs: Readonly<Record<string, number>>
  readonly shared: SharedOperatorState | null
  /** Devices that the operator knows. */
  readonly deviceCount: number
}

export interface SavedSnapshot {
  readonly writtenBytes: number
  /** Of all files a recovery would read. */
  readonly byteLength: number
}

function isKept(entry: DeviceStateEntry): boolean {
  return entry.state !== null
}
