import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Plan } from '@millwright/core'
import { listTopics } from '@millwright/engine'
import type { KafkaConnection } from '@millwright/gateways/kafka'
import {
  type CaseChanges,
  type CaseOutput,
  defaultCaseRules,
  defaultDriftRules,
  defaultQualityRules,
  defaultVerdictRules,
  type MachineReport,
  PlantWatch,
  type WatchedChannel,
  type WatchReport,
  watchedChannels,
} from '@millwright/monitoring'
import { driftReferences, packageInFolder } from './drift-references.ts'
import type { KafkaPositions } from './kafka-merge.ts'
import type { MergePositions } from './topic-merge.ts'
import { readWatchState, watchStatePath, writeWatchState } from './watch-state-file.ts'
import { FolderSource, type WatchedSource } from './watched-source.ts'

/** What decides how a plant is watched; can be sent between threads. */
export interface WatchedPlant {
  readonly channels: readonly WatchedChannel[]
  readonly partitionCount: number
  /** Whether the project has an alert policy beyond one threshold: only windows with a mark are then alerts. */
  readonly marked: boolean
}

export function watchedPlant(plan: Plan): WatchedPlant {
  return {
    channels: watchedChannels(plan),
    partitionCount: plan.partitionCount,
    marked: plan.alert.rules !== undefined,
  }
}

/** The watch of a plant's topics, read from where the saved state stands, or from the oldest record. */
export class TopicsWatch {
  readonly #path: string
  readonly #identity: string
  readonly #source: WatchedSource
  readonly #watch: PlantWatch
  readonly #keepsCases: boolean
  #cases: CaseOutput[] = []
  #changes = 0
  #savedChanges = 0

  private constructor(path: string, identity: string, source: WatchedSource, watch: PlantWatch, keepsCases: boolean) {
    this.#path = path
    this.#identity = identity
    this.#source = source
    this.#watch = watch
    this.#keepsCases = keepsCases
  }

  /**
   * Watches the topics of a data folder.
   *
   * @param options.useState Whether to go on from the state that is saved (default); else everything is read again.
   * @param options.lookUpCut See {@link FolderSource}.
   * @param options.keepsCases See {@link takeCases}.
   * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
   */
  static ofFolder(
    { channels, partitionCount, marked }: WatchedPlant,
    dataDirectory: string,
    options: {
      readonly useState?: boolean
      readonly lookUpCut?: () => number | null
      readonly keepsCases?: boolean
    } = {},
  ): TopicsWatch {
    const path = watchStatePath(dataDirectory)
    const identity = identityOf(channels)
    const found = options.useState === false ? null : readWatchState(path, identity)
    const positions = found?.positions as MergePositions | undefined
    const stored = positions !== undefined && areReached(dataDirectory, positions) ? found : null
    const source = new FolderSource({
      dataDirectory,
      partitionCount,
      positions: stored === null ? undefined : positions,
      lookUpCut: options.lookUpCut,
    })
    const referenceOf = driftReferences((model) => packageInFolder(dataDirectory, model))
    const watch = new PlantWatch({ channels, marked, referenceOf }, stored?.state)
    return new TopicsWatch(path, identity, source, watch, options.keepsCases ?? false)
  }

  /**
   * Watches the topics of a plant on Kafka.
   *
   * @param options.directory Where the state and model packages are kept: a folder of this watcher's own.
   * @param options.useState As of {@link ofFolder}.
   * @param options.isPrudent See `KafkaSource.open`.
   * @param options.keepsCases As of {@link ofFolder}.
   * @param options.signal Ends all waiting for brokers.
   * @throws {KafkaTopicMissingError | KafkaUnreachableError | KafkaAuthenticationError | KafkaRefusedError}
   */
  static async ofKafka(
    { channels, marked }: WatchedPlant,
    options: {
      readonly connection: KafkaConnection
      readonly directory: string
      readonly isPrudent: boolean
      readonly useState?: boolean
      readonly keepsCases?: boolean
      readonly signal?: AbortSignal
    },
  ): Promise<TopicsWatch> {
    const { connection, directory, isPrudent, useState = true, signal } = options
    // The client is loaded only where it is asked for: a plant on an edge box starts without.
    const { KafkaSource } = await import('./kafka-source.ts')
    const source = await KafkaSource.open({ connection, packageFolder: join(directory, 'models'), isPrudent, signal })
    try {
      const path = join(directory, 'state.ndjson')
      const identity = identityOf(channels, source.clusterId)
      const found = useState ? readWatchState(path, identity) : null
      const stored = found !== null && (await source.goOnFrom(found.positions as KafkaPositions)) ? found : null
      // Baselines of models that scored before are asked for at once.
      await source.packages.catchUp()
      const referenceOf = driftReferences((model) => source.packages.pathOf(model))
      const watch = new PlantWatch({ channels, marked, referenceOf }, stored?.state)
      return new TopicsWatch(path, identity, source, watch, options.keepsCases ?? false)
    } catch (error) {
      await source.close()
      throw error
    }
  }

  /** See {@link WatchedSource.takenUpToMs}. */
  get takenUpToMs(): number {
    return this.#source.takenUpToMs
  }

  /** See {@link WatchedSource.isHeldBack}. */
  get isHeldBack(): boolean {
    return this.#source.isHeldBack
  }

  /** Append time of the newest record taken, epoch milliseconds; −Infinity before the first. */
  get readUpToMs(): number {
    return this.#watch.readUpToMs
  }

  /** Rises whenever a report may have become another one. */
  get changes(): number {
    return this.#changes
  }

  /** See {@link WatchedSource.waitsFor}. */
  get waitsFor(): string | null {
    return this.#source.waitsFor
  }

  /** See {@link WatchedSource.look}. */
  look(): Promise<boolean> {
    return this.#source.look()
  }

  /** Takes at most so many records that may be taken since the last look; see {@link WatchedSource.take}. */
  async step(recordsMax: number): Promise<number> {
    const taken = await this.#source.take(recordsMax, (record) => {
      const cases = this.#watch.take(record)
      if (this.#keepsCases) for (const output of cases) this.#cases.push(output)
      this.#changes += 1
    })
    if (this.#watch.timeCame(this.#source.takenUpToMs)) this.#changes += 1
    return taken
  }

  /** Gives, once, what the records taken so far say on `cases`: to be written before anything is saved. Only where cases are kept. */
  takeCases(): readonly CaseOutput[] {
    const cases = this.#cases
    this.#cases = []
    return cases
  }

  /** What became of cases and commands since this was last called; at first every case that is remembered. */
  takeCaseChanges(): CaseChanges {
    return this.#watch.takeCaseChanges()
  }

  report(): WatchReport {
    return this.#watch.report()
  }

  /** See {@link PlantWatch.machineReport}. */
  machineReport(deviceId: string): MachineReport | null {
    return this.#watch.machineReport(deviceId)
  }

  /** Saves nothing while there are messages that nobody has taken. @throws What the file system throws; what was saved before stays. */
  save(): void {
    if (this.#changes === this.#savedChanges || this.#cases.length > 0) return
    const pieces = this.#watch.snapshotInPieces()
    writeWatchState(this.#path, this.#identity, { positions: this.#source.positions(), pieces })
    this.#savedChanges = this.#changes
  }

  async close(): Promise<void> {
    await this.#source.close()
  }
}

/** A state of other channels, rules or topics cannot go on. */
function identityOf(channels: readonly WatchedChannel[], clusterId?: string): string {
  const decides: unknown[] = [channels, defaultVerdictRules, defaultDriftRules, defaultQualityRules, defaultCaseRules]
  if (clusterId !== undefined) decides.push(clusterId)
  return createHash('sha256').update(JSON.stringify(decides)).digest('hex')
}

/** Whether the topics reach every position: a folder that was restored from a backup may not. */
function areReached(dataDirectory: string, positions: MergePositions): boolean {
  const ends = new Map(
    listTopics(dataDirectory).map(({ topic, partition, endOffset }) => [`${topic}/${partition}`, endOffset]),
  )
  return Object.entries(positions).every(([name, offset]) => offset <= (ends.get(name) ?? 0))
}
