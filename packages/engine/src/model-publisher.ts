import { limits, type ModelUpdate } from '@millwright/core'
import type { ResolvedOptions } from './engine-options.ts'
import { ModelRefusedError, NoPreviousModelError } from './errors.ts'
import type { FreeSpace } from './free-space.ts'
import { type ModelStore, sha256Of } from './model-store.ts'
import type { ModelUpdates, PublishedModel } from './model-updates.ts'
import type { PartitionInput } from './partition-input.ts'

/** How far ahead a model is put in force, so that every partition has it in time, milliseconds. */
const activationDelayMs = 1000

/**
 * Puts models in force: package, update, activations, in this order, each durable before the next.
 *
 * M1. A refused package changes nothing.
 * M2. An update that is in its log reaches every partition, in the order of that log: at once, when a failed disk works
 *     again, or at the next start.
 */
export class ModelPublisher {
  readonly #options: ResolvedOptions
  readonly #store: ModelStore
  readonly #updates: ModelUpdates
  readonly #inputs: readonly PartitionInput[]
  readonly #space: FreeSpace
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: {
    readonly options: ResolvedOptions
    readonly store: ModelStore
    readonly updates: ModelUpdates
    readonly inputs: readonly PartitionInput[]
    readonly space: FreeSpace
  }) {
    this.#options = parts.options
    this.#store = parts.store
    this.#updates = parts.updates
    this.#inputs = parts.inputs
    this.#space = parts.space
  }

  get published(): readonly PublishedModel[] {
    return this.#updates.published
  }

  /** See `Engine.publish`. */
  async publish(packageBytes: Uint8Array, activeFromMs: number | undefined): Promise<PublishedModel> {
    if (packageBytes.length > limits.modelPackageBytesMax)
      throw new ModelRefusedError(
        `Cannot publish the model package as it must have <= ${limits.modelPackageBytesMax} bytes: found ${packageBytes.length}`,
        { details: { byteLength: packageBytes.length } },
      )
    const { name, version, sha256 } = await this.#options.validateModel(packageBytes)
    const found = sha256Of(packageBytes)
    if (sha256 !== found)
      throw new ModelRefusedError(`Cannot publish the model package as its SHA-256 must be ${sha256}: found ${found}`, {
        details: { sha256, found },
      })
    return await this.#inTurn(async () => {
      this.#space.admit(packageBytes.length)
      this.#store.write(packageBytes, sha256)
      return await this.#putInForce({ name, version, sha256, activeFrom: this.#activeFrom(activeFromMs) })
    })
  }

  /** See `Engine.rollback`. */
  async rollback(): Promise<PublishedModel> {
    return await this.#inTurn(async () => {
      const newest = this.#updates.published.at(-1)
      const previous = this.#updates.published.findLast(({ sha256 }) => sha256 !== newest?.sha256)
      if (previous === undefined)
        throw new NoPreviousModelError('Cannot roll back as an earlier model must have been published: there is none')
      // Refused now, where the plan does not take it any more, rather than passed over by every operator.
      await this.#options.validateModel(this.#store.read(previous.sha256))
      const { name, version, sha256 } = previous
      return await this.#putInForce({ name, version, sha256, activeFrom: this.#activeFrom(undefined) })
    })
  }

  /**
   * Appends the activations that partitions have not seen (M2); resolves to how many when they are durable.
   *
   * @throws {DiskFullError | DiskFailedError} To be tried again.
   */
  async activateMissing(): Promise<number> {
    const { published } = this.#updates
    const activated = this.#inputs.flatMap((input) => {
      const missing = published.slice(input.nextUpdateOffset)
      if (missing.length > 0) input.requireWritable()
      return missing.map(
        ({ offset, name, version, sha256, activeFrom }) =>
          new Promise<void>((resolve, reject) => {
            input.stageActivation({ name, version, sha256, activeFrom }, offset, (error) =>
              error === null ? resolve() : reject(error),
            )
          }),
      )
    })
    await Promise.all(activated)
    return activated.length
  }

  /** Does something while nothing is being published: a package is stored a moment before anything refers to it. */
  async betweenPublications(act: () => Promise<void>): Promise<void> {
    await this.#inTurn(act)
  }

  /** Resolves when no publish is under way. */
  async settled(): Promise<void> {
    await this.#turn
  }

  async #putInForce(update: ModelUpdate): Promise<PublishedModel> {
    const published = await this.#updates.append(update, this.#options.clock.nowMs())
    await this.activateMissing()
    return published
  }

  #activeFrom(activeFromMs: number | undefined): number {
    // The log may be ahead of a clock that was set back: "now" is where it stands.
    const nowMs = Math.max(this.#options.clock.nowMs(), ...this.#inputs.map((input) => input.appendTimeMs))
    return Math.floor(activeFromMs ?? nowMs + activationDelayMs)
  }

  /** One at a time, so that each partition sees updates in the order of their log. */
  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => undefined)
    return await turn
  }
}
