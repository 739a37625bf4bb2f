import type { ResolvedOptions } from './engine-options.ts'
import type { FreeSpace } from './free-space.ts'
import type { ModelPublisher } from './model-publisher.ts'
import type { ModelStore } from './model-store.ts'
import type { PartitionInput } from './partition-input.ts'
import type { ProgressBoard } from './progress-board.ts'
import { folderBytes, planRetention, retirableModels } from './retention.ts'

/** Removes what need not be kept (G1–G3 of retention.ts), one run at a time, and counts it. */
export class Retainer {
  readonly #parts: RetainerParts
  #running: Promise<void> | null = null
  #diskBytes = 0
  #measuredAtMs = Number.NEGATIVE_INFINITY
  #budgetExceeded = false
  #segmentCount = 0
  #byteCount = 0

  constructor(parts: RetainerParts) {
    this.#parts = parts
  }

  /** Resolves when one run is over; joins one that is under way. @throws What the disk throws; to be tried again. */
  async run(): Promise<void> {
    this.#running ??= this.#retire().finally(() => {
      this.#running = null
    })
    await this.#running
  }

  /** Resolves when no run is under way. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => undefined)
  }

  get stats() {
    this.#measureWhenStale()
    return {
      diskBytes: this.#diskBytes,
      diskBudgetExceeded: this.#budgetExceeded,
      retiredSegments: this.#segmentCount,
      retiredBytes: this.#byteCount,
    }
  }

  /** A look at every file's length takes milliseconds: it is for whoever asks, and not for each who asks. */
  #measureWhenStale(): void {
    const { options } = this.#parts
    const nowMs = options.elapsedMs()
    if (nowMs - this.#measuredAtMs < measureEveryMs) return
    this.#measuredAtMs = nowMs
    this.#diskBytes = folderBytes(options.disk, options)
  }

  async #retire(): Promise<void> {
    const { options, inputs, models, publisher, board, space } = this.#parts
    const { disk, directory, partitionCount, retention, clock, onPhase } = options
    onPhase?.('retention', 'begin', null)
    const neededFrom = inputs.map(({ partition }) => board.neededFrom(partition))
    const nowMs = clock.nowMs()
    const plan = planRetention({ disk, directory, partitionCount, rules: retention, nowMs, neededFrom })
    for (const segment of plan.retire) {
      await disk.unlinkAsync(segment.path)
      // One after the other also on disk: a power cut must not leave a hole in a log.
      disk.syncDirectory(segment.path.slice(0, segment.path.lastIndexOf('/')))
      if (segment.topic === 'input') inputs[segment.partition]?.forgetOldestSegment()
      this.#segmentCount += 1
      this.#byteCount += segment.byteLength
    }
    if (plan.retire.length > 0) space.forget()
    await publisher.betweenPublications(async () => {
      const { published } = publisher
      for (const sha256 of retirableModels(models.list(), published, plan.oldestInputMs, board.neededModels))
        await models.remove(sha256)
    })
    this.#measuredAtMs = Number.NEGATIVE_INFINITY
    this.#budgetExceeded = plan.budgetExceeded
    onPhase?.('retention', 'end', null)
  }
}

const measureEveryMs = 5000

export interface RetainerParts {
  readonly options: ResolvedOptions
  readonly inputs: readonly PartitionInput[]
  readonly models: ModelStore
  readonly publisher: ModelPublisher
  readonly board: ProgressBoard
  readonly space: FreeSpace
}
