import { limits } from '@millwright/core'
import { SourceInterruptedError } from './errors.ts'

/**
 * Where resumable sources stand, over all partitions.
 *
 * K1. `acknowledged` passes an append only when it and every earlier one of its source succeeded.
 * K2. After a failed append of a source every later one is refused until the source has asked where it stands: what was
 *     already on its way would leave a gap behind it.
 * K3. At most `sourcesMax` sources are kept here; what the logs say of one that was let go is lower or equal, and safe.
 */
export class SourceTracker {
  /** In order of first use. */
  readonly #sources = new Map<string, TrackedSource>()
  readonly #recovered: (id: string) => number

  /** @param recovered What the logs say of a source. */
  constructor(recovered: (id: string) => number) {
    this.#recovered = recovered
  }

  /** Position before which every line was acknowledged; 0 for a source that is not known. */
  acknowledged(id: string): number {
    return this.#sources.get(id)?.acknowledged ?? this.#recovered(id)
  }

  /** Lets a source go on from where it stands (K2), and returns that position. */
  resume(id: string): number {
    const source = this.#sources.get(id)
    if (source !== undefined) source.interrupted = false
    return this.acknowledged(id)
  }

  /**
   * Takes note of an append that ends at `position`; the answer is to be called once, when it has succeeded or failed.
   *
   * @throws {SourceInterruptedError} See K2.
   */
  begin(id: string, position: number): (succeeded: boolean) => void {
    const source = this.#sources.get(id) ?? this.#track(id)
    if (source.interrupted)
      throw new SourceInterruptedError(
        `Cannot append for source "${id}" as its earlier append must have succeeded: it failed. ` +
          'Ask for the position of the source and go on from there',
        { details: { sourceId: id, acknowledged: source.acknowledged } },
      )
    const append = { position, succeeded: false }
    source.pending.push(append)
    return (succeeded) => {
      append.succeeded = succeeded
      if (!succeeded) {
        source.interrupted = true
        // What follows it may succeed, but no longer counts (K1).
        const place = source.pending.indexOf(append)
        if (place !== -1) source.pending.splice(place)
      }
      for (let first = source.pending[0]; first?.succeeded; first = source.pending[0]) {
        source.acknowledged = Math.max(source.acknowledged, first.position)
        source.pending.shift()
      }
    }
  }

  #track(id: string): TrackedSource {
    const source = { acknowledged: this.#recovered(id), pending: [], interrupted: false }
    this.#sources.set(id, source)
    if (this.#sources.size > limits.sourcesMax)
      for (const [other, { pending, interrupted }] of this.#sources)
        if (pending.length === 0 && !interrupted && other !== id) {
          this.#sources.delete(other)
          break
        }
    return source
  }
}

interface TrackedSource {
  acknowledged: number
  pending: { readonly position: number; succeeded: boolean }[]
  interrupted: boolean
}
