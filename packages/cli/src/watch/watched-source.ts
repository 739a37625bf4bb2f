import { readStoreCut } from '@millwright/engine'
import type { WatchedRecord } from '@millwright/monitoring'
import { type MergePositions, TopicMerge } from './topic-merge.ts'

/** Where the watcher's records come from, as one sequence of which it takes a beginning. */
export interface WatchedSource {
  /** Looks how far may be taken. @returns Whether that is further than at the last look. */
  look(): Promise<boolean>
  /** Every record appended before was taken, epoch milliseconds; −Infinity before that is known. */
  readonly takenUpToMs: number
  /** Whether more will come without another look: what is written there is not decided yet. */
  readonly isHeldBack: boolean
  /** Hands over the next records. @returns How many; fewer than `recordsMax` where no more may be taken. */
  take(recordsMax: number, visit: (record: WatchedRecord) => void): Promise<number>
  /** Where a later reading goes on after what was taken, as JSON. */
  positions(): unknown
  /** What is to be known where nothing comes; `null` where nothing is in the way. */
  readonly waitsFor: string | null
  close(): Promise<void>
}

/** The topics of a data folder. */
export class FolderSource implements WatchedSource {
  readonly waitsFor = null
  readonly isHeldBack = false
  readonly #merge: TopicMerge
  readonly #lookUpCut: () => number | null
  #cutMs: number | null = null
  #takenUpToMs = Number.NEGATIVE_INFINITY

  /**
   * @param lookUpCut As `readStoreCut` where the plant runs; +Infinity where it does not.
   * @throws {StoreVersionError} When the folder is no data folder of this release or an older one.
   */
  constructor(options: {
    readonly dataDirectory: string
    readonly partitionCount: number
    readonly positions?: MergePositions | undefined
    readonly lookUpCut?: (() => number | null) | undefined
  }) {
    const { dataDirectory, partitionCount, positions, lookUpCut } = options
    this.#merge = new TopicMerge(dataDirectory, partitionCount, positions)
    this.#lookUpCut = lookUpCut ?? (() => readStoreCut(dataDirectory))
  }

  get takenUpToMs(): number {
    return this.#takenUpToMs
  }

  async look(): Promise<boolean> {
    const cutMs = this.#lookUpCut()
    if (cutMs === null || (this.#cutMs !== null && cutMs <= this.#cutMs)) return false
    this.#cutMs = cutMs
    return true
  }

  async take(recordsMax: number, visit: (record: WatchedRecord) => void): Promise<number> {
    if (this.#cutMs === null) return 0
    const taken = this.#merge.take(this.#cutMs, recordsMax, visit)
    if (taken < recordsMax) this.#takenUpToMs = this.#cutMs
    return taken
  }

  positions(): MergePositions {
    return this.#merge.positions()
  }

  async close(): Promise<void> {
    this.#merge.close()
  }
}
