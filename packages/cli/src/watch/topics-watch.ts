import { createHash } from 'node:crypto'
import type { Plan } from '@millwright/core'
import { listTopics } from '@millwright/engine'
import {
  defaultDriftRules,
  defaultQualityRules,
  defaultVerdictRules,
  PlantWatch,
  type WatchedChannel,
  type WatchReport,
  watchedChannels,
} from '@millwright/monitoring'
import { driftReferences } from './drift-references.ts'
import { type MergePositions, TopicMerge } from './topic-merge.ts'
import { readWatchState, watchStatePath, writeWatchState } from './watch-state-file.ts'

/** What decides how a plant is watched; can be sent between threads. */
export interface WatchedPlant {
  readonly channels: readonly WatchedChannel[]
  readonly partitionCount: number
}

export function watchedPlant(plan: Plan): WatchedPlant {
  return { channels: watchedChannels(plan), partitionCount: plan.partitionCount }
}

/** The watch of a data folder: the topics, read from where the saved state stands, or from the oldest record. */
export class TopicsWatch {
  readonly #path: string
  readonly #identity: string
  readonly #merge: TopicMerge
  readonly #watch: PlantWatch
  #unsaved = 0

  /**
   * @param useState Whether to go on from the state that is saved; else everything is read again.
   * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
   */
  constructor({ channels, partitionCount }: WatchedPlant, dataDirectory: string, useState = true) {
    this.#path = watchStatePath(dataDirectory)
    this.#identity = identityOf(channels)
    const found = useState ? readWatchState(this.#path, this.#identity) : null
    const stored = found !== null && areReached(dataDirectory, found.positions) ? found : null
    this.#watch = new PlantWatch({ channels, referenceOf: driftReferences(dataDirectory) }, stored?.state)
    this.#merge = new TopicMerge(dataDirectory, partitionCount, stored?.positions)
  }

  /** Append time of the newest record taken, epoch milliseconds; −Infinity before the first. */
  get readUpToMs(): number {
    return this.#watch.readUpToMs
  }

  /** Records taken since the state was saved. */
  get unsaved(): number {
    return this.#unsaved
  }

  /** Takes at most so many records that were appended before `cutMs`; see {@link TopicMerge.take}. */
  step(cutMs: number, recordsMax: number): number {
    const taken = this.#merge.take(cutMs, recordsMax, (record) => this.#watch.take(record))
    this.#unsaved += taken
    return taken
  }

  report(): WatchReport {
    return this.#watch.report()
  }

  /** @throws What the file system throws; what was saved before stays. */
  save(): void {
    if (this.#unsaved === 0) return
    writeWatchState(this.#path, this.#identity, { positions: this.#merge.positions(), state: this.#watch.snapshot() })
    this.#unsaved = 0
  }

  close(): void {
    this.#merge.close()
  }
}

/** A state of other channels or rules cannot go on. */
function identityOf(channels: readonly WatchedChannel[]): string {
  const decides = [channels, defaultVerdictRules, defaultDriftRules, defaultQualityRules]
  return createHash('sha256').update(JSON.stringify(decides)).digest('hex')
}

/** Whether the topics reach every position: a folder that was restored from a backup may not. */
function areReached(dataDirectory: string, positions: MergePositions): boolean {
  const ends = new Map(
    listTopics(dataDirectory).map(({ topic, partition, endOffset }) => [`${topic}/${partition}`, endOffset]),
  )
  return Object.entries(positions).every(([name, offset]) => offset <= (ends.get(name) ?? 0))
}
