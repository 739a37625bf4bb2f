import { type Activation, type LoadedModel, limits } from '@millwright/core'

interface Entry {
  readonly activation: Activation
  /** First append time at which it is in force; NaN where neither time is known (a replay). */
  readonly effectiveFromMs: number
  /** Place among all activations seen: later ones win ties. */
  readonly order: number
}

/**
 * Which model scores a window, by the append time at which the window closed.
 *
 * M1. An activation is in force from `activeFrom`, or from just after it was seen where that is later: so no result that could
 *     already have been given is ever changed by a late one.
 * M2. In force at T is the one with the greatest effective time at or before T; of equal ones the last seen.
 * M3. Where T is unknown (a file is replayed, bounded input ends), the last one seen is in force.
 * M4. Once append time has come to H and what was due is applied, nothing closes before H any more: of the activations that are in
 *     force by then only the newest is kept. So a hundred swaps hold no more models in memory than one.
 * M5. At most `activationsMax` are kept, those with the greatest effective times; a T before all that are kept has no model.
 */
export class ModelsInForce {
  /** Ascending by effective time, then by order. */
  readonly #entries: Entry[] = []
  #lastSeen: Entry | null = null
  #order = 0

  /** Returns whether it came too late, that is, is in force only from where it was seen. */
  add(activation: Activation): boolean {
    const { activeFromMs, seenAtMs } = activation
    const late = activeFromMs <= seenAtMs
    const entry = { activation, effectiveFromMs: late ? seenAtMs + 1 : activeFromMs, order: this.#order }
    this.#order += 1
    let at = this.#entries.length
    while (at > 0 && (this.#entries[at - 1] as Entry).effectiveFromMs > entry.effectiveFromMs) at -= 1
    this.#entries.splice(at, 0, entry)
    if (this.#entries.length > limits.activationsMax) this.#entries.shift()
    this.#lastSeen = entry
    return late
  }

  /** Append time has come to `nowMs`, and every deadline at or before it has been applied (M4). */
  timeCame(nowMs: number): void {
    let replaced = 0
    while (replaced + 1 < this.#entries.length && (this.#entries[replaced + 1] as Entry).effectiveFromMs <= nowMs)
      replaced += 1
    this.#entries.splice(0, replaced)
  }

  /** @param closedAtMs Append time; NaN where it is unknown. */
  at(closedAtMs: number): LoadedModel | null {
    if (Number.isNaN(closedAtMs)) return this.#lastSeen?.activation.model ?? null
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { activation, effectiveFromMs } = this.#entries[i] as Entry
      if (effectiveFromMs <= closedAtMs) return activation.model
    }
    return null
  }

  /** The kept activations in the order they were seen; the last one is always among them (M3). */
  seen(): readonly Activation[] {
    const last = this.#lastSeen
    const kept = last === null || this.#entries.includes(last) ? this.#entries : [...this.#entries, last]
    return [...kept].sort((a, b) => a.order - b.order).map(({ activation }) => activation)
  }
}
