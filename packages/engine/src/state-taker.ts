import type { DeviceStateEntry, PartitionOperator } from '@millwright/core'

/**
 * Takes the state that changed out of an operator, piece by piece, so that no piece holds up what else the thread does. A device's
 * state is its own: what has not changed since it was taken is still right.
 *
 * S1. `takeAhead` runs beside processing. A device that changes after it was taken is taken again, at the cut at the latest.
 * S2. From the beginning of `takeRest` to its end nothing is processed: then everything that was taken, the newest of each device,
 *     is the state at one place in the input.
 * S3. Ahead of the cut at most as many states are taken as there are devices: where they change faster than they are taken, the
 *     rest waits for the cut.
 */
export class StateTaker {
  readonly #operator: PartitionOperator
  readonly #keep: (entries: readonly DeviceStateEntry[]) => void

  /** @param keep Gets the entries of each piece; later ones of a device replace earlier ones. */
  constructor(operator: PartitionOperator, keep: (entries: readonly DeviceStateEntry[]) => void) {
    this.#operator = operator
    this.#keep = keep
  }

  /** @param mayGoOn Asked before each piece; the operator must stand between two records. */
  async takeAhead(mayGoOn: () => boolean): Promise<void> {
    for (let left = this.#operator.deviceCount; left > 0 && mayGoOn(); ) {
      const entries = this.#operator.takeDirty(pieceDevices)
      if (entries.length === 0) return
      this.#keep(entries)
      left -= entries.length
      await turn()
    }
  }

  /** Takes what is left; nothing must be processed before it resolves (S2). */
  async takeRest(): Promise<void> {
    for (;;) {
      const entries = this.#operator.takeDirty(pieceDevices)
      if (entries.length === 0) return
      this.#keep(entries)
      await turn()
    }
  }
}

/** A few milliseconds of the operators' codec. */
const pieceDevices = 2048

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
