import type { LoadedModel } from '@millwright/core'
import { ModelMissingError } from './errors.ts'
import type { ModelStore } from './model-store.ts'

/**
 * Makes a model of a package that was accepted when it was published. `null`: the package is whole, and the plan of today,
 * which has changed since, does not take it; it is then as if it had never been published. Anything thrown stops the plant.
 */
export type LoadModel = (sha256: string, bytes: Uint8Array) => LoadedModel | null

/**
 * Loads models by hash for the operators of one thread. A model that no operator holds any more is given up, so that a
 * hundred swaps cost no more memory than one.
 */
export class ModelCache {
  readonly #store: ModelStore
  readonly #load: LoadModel
  readonly #models = new Map<string, WeakRef<LoadedModel>>()

  constructor(store: ModelStore, load: LoadModel) {
    this.#store = store
    this.#load = load
  }

  /**
   * @returns `null` when the plan does not take it any more.
   * @throws {ModelMissingError} When the package is not in the store, or is not what was published, or cannot be loaded.
   */
  load(sha256: string): LoadedModel | null {
    const known = this.#models.get(sha256)?.deref()
    if (known !== undefined) return known
    for (const [name, model] of this.#models) if (model.deref() === undefined) this.#models.delete(name)
    const model = this.#loadChecked(sha256, this.#store.read(sha256))
    if (model !== null) this.#models.set(sha256, new WeakRef(model))
    return model
  }

  #loadChecked(sha256: string, bytes: Uint8Array): LoadedModel | null {
    try {
      return this.#load(sha256, bytes)
    } catch (error) {
      throw new ModelMissingError(
        `Cannot load the model package "${this.#store.path(sha256)}", which was accepted when it was published: ` +
          'this release may be older than the one that accepted it',
        { details: { sha256 }, cause: error },
      )
    }
  }
}
