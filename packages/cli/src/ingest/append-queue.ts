import type { IngestPort } from '@millwright/core'
import { BusyError } from '@millwright/engine'
import type { Admission } from '@millwright/gateways'

/** A plant that takes resumable sources. */
export interface ResumableIngest extends IngestPort {
  /** Place after the last line of the source that was acknowledged; 0 where it is not known. To be asked after a refusal. */
  sourcePosition(id: string): number
}

/** Deliveries that may wait for the disk at once: enough that reading and syncing go on side by side. */
const underWayMax = 8

interface Delivery {
  readonly admission: Admission
  readonly byteLength: number
  readonly endPosition: number
  /** What the append was refused with; `null` when it is on stable storage. Never rejects. */
  outcome: Promise<unknown>
}

/**
 * Appends the deliveries of one resumable source, several at a time.
 *
 * Q1. They enter the log in order and without a gap: after a refusal none that follows is taken, and all are sent again from it.
 * Q2. A plant that is busy is waited for. Anything else that goes wrong is thrown: a person must see to it, and the source goes
 *     on where it stopped.
 * Q3. The memory of a delivery is given back when it is on stable storage, not before: it may have to be sent again.
 */
export class AppendQueue {
  readonly #ingest: ResumableIngest
  readonly #sourceId: string
  readonly #underWay: Delivery[] = []

  constructor(ingest: ResumableIngest, sourceId: string) {
    this.#ingest = ingest
    this.#sourceId = sourceId
  }

  /** Sends a delivery; resolves when there is room for another. @throws What `append` throws, of this or an earlier one (Q2). */
  async add(admission: Admission, endPosition: number): Promise<void> {
    const byteLength = admission.parts.reduce((sum, { lines }) => sum + lines.length, 0)
    const delivery = { admission, byteLength, endPosition, outcome: Promise.resolve<unknown>(null) }
    await this.#send(delivery)
    this.#underWay.push(delivery)
    if (this.#underWay.length >= underWayMax) await this.#settleOldest()
  }

  /** Resolves when everything is on stable storage. @throws As {@link add}. */
  async settled(): Promise<void> {
    while (this.#underWay.length > 0) await this.#settleOldest()
  }

  async #send(delivery: Delivery): Promise<void> {
    const { admission, byteLength, endPosition } = delivery
    await this.#ingest.ready(byteLength)
    delivery.outcome = this.#ingest
      .append('sensor-data', admission.parts, { id: this.#sourceId, position: endPosition })
      .then(() => null)
      .catch((error: unknown) => error)
  }

  async #settleOldest(): Promise<void> {
    const oldest = this.#underWay[0]
    if (oldest === undefined) return
    for (let refusal = await oldest.outcome; refusal !== null; refusal = await oldest.outcome) {
      if (!(refusal instanceof BusyError)) throw refusal
      await this.#sendAgain()
    }
    this.#underWay.shift()
    oldest.admission.release()
  }

  /** Q1. Somebody else took the room between `ready` and `append`. */
  async #sendAgain(): Promise<void> {
    for (const { outcome } of this.#underWay) await outcome
    // Asking lets the source go on.
    this.#ingest.sourcePosition(this.#sourceId)
    for (const delivery of this.#underWay) await this.#send(delivery)
  }
}
