import { pause } from '../support/proof.ts'
import { isAcknowledged, postReadings } from '../support/proof-plant.ts'
import type { Gateway, PlantFleet, PlantLine } from './fleet.ts'

/** Lines in one request, at most. */
const requestLinesMax = 4000
const paceMs = 20

/** Between the plant's time (of its readings) and the real clock, while a day passes quickly. */
export class PlantClock {
  readonly #plantStartMs: number
  readonly #realStartMs: number
  /** Milliseconds of plant time in one of real time. */
  readonly speed: number

  constructor(plantStartMs: number, speed: number) {
    this.#plantStartMs = plantStartMs
    this.#realStartMs = Date.now()
    this.speed = speed
  }

  get plantMs(): number {
    return this.plantAt(Date.now())
  }

  plantAt(realMs: number): number {
    return this.#plantStartMs + (realMs - this.#realStartMs) * this.speed
  }

  realAt(plantMs: number): number {
    return this.#realStartMs + (plantMs - this.#plantStartMs) / this.speed
  }
}

/** Sends a fleet's readings by HTTP, each gateway one request after the other, and keeps what was acknowledged. */
export class PlantFeed {
  /** In the order of acknowledgement: within a device, that of its readings. */
  readonly acknowledged: string[] = []
  /** Answers that were no acknowledgement; the same lines were sent again. */
  readonly refusals: string[] = []
  readonly sentAgain = new Set<string>()
  readonly #url: string
  readonly #fleet: PlantFleet

  constructor(url: string, fleet: PlantFleet) {
    this.#url = url
    this.#fleet = fleet
  }

  /** Sends all readings up to a plant time as fast as they are taken. */
  async sendAtOnce(untilMs: number): Promise<void> {
    const lines: string[] = []
    for (const { line } of this.#fleet.takeUntil(untilMs)) {
      lines.push(line)
      if (lines.length === requestLinesMax) await this.#send(lines.splice(0))
    }
    if (lines.length > 0) await this.#send(lines)
  }

  /** Sends readings when their time has come, until a plant time. @param passing Called with each moment of plant time. */
  async sendInTime(clock: PlantClock, untilMs: number, passing: (plantMs: number) => Promise<void>): Promise<void> {
    const queues: Record<Gateway, string[]> = { north: [], south: [] }
    let ended = false
    const gateways = Object.values(queues).map(async (queue) => {
      while (!ended || queue.length > 0) {
        if (queue.length === 0) await pause(paceMs)
        else await this.#send(queue.splice(0, requestLinesMax))
      }
    })
    for (let plantMs = clock.plantMs; plantMs < untilMs; plantMs = clock.plantMs) {
      this.#enqueue(queues, this.#fleet.takeUntil(plantMs))
      await passing(plantMs)
      await pause(paceMs)
    }
    this.#enqueue(queues, this.#fleet.takeUntil(untilMs))
    ended = true
    await Promise.all(gateways)
  }

  #enqueue(queues: Record<Gateway, string[]>, lines: Iterable<PlantLine>): void {
    for (const { gateway, line } of lines) queues[gateway].push(line)
  }

  async #send(lines: readonly string[]): Promise<void> {
    for (;;) {
      const answer = await postReadings(this.#url, `${lines.join('\n')}\n`)
      if (isAcknowledged(answer, lines.length)) break
      this.refusals.push(`${answer.status} ${answer.body}`)
      // Some of them may have been taken: they come again, and the plant knows them as copies.
      for (const line of lines) this.sentAgain.add(line)
      // Those after which nothing was taken, and none at all: the plant was killed, and may have taken them.
      if (![0, 429, 503, 507].includes(answer.status))
        throw new Error(`the plant answered ${answer.status}: ${answer.body}`)
      await pause(100)
    }
    for (const line of lines) this.acknowledged.push(line)
  }
}
