import { type IngestPort, limits, MillwrightError, type Plan, type PlantLine } from '@millwright/core'
import type { Door } from '../door.ts'

/** A line that was named is none of the plant's. */
export class LineUnknownError extends MillwrightError {
  readonly code = 'LINE_UNKNOWN'
  readonly retry = 'never'
}

/** What was to be written is no event that the operators would take. */
export class EventRefusedError extends MillwrightError {
  readonly code = 'EVENT_REFUSED'
  readonly retry = 'never'
}

/** An event of several machines. */
export interface SharedEvent {
  /** The project's own word, such as `line-stop`. */
  readonly type: string
  /** When it was, epoch milliseconds; `null`: now. */
  readonly timestamp: number | null
  /** Anything; absent or `null`: nothing. */
  readonly detail?: unknown
}

/** Whose event it is. */
export type EventTarget = { readonly line: string } | { readonly devices: readonly string[] }

/** What was written. */
export interface WrittenEvent {
  readonly type: string
  readonly timestamp: number
  /** How many machines have a record of it. */
  readonly devices: number
  /** Whether the alert policy or a feature of the project looks at events of this type: where not, it changes no result. */
  readonly used: boolean
}

/** 1970 to 2200, as `timestamp` of every record. */
const timestampMsMax = 7_258_118_400_000

/**
 * Writes one event of several machines: a record of `device-events` for each, since what is said of a machine follows from its own records alone.
 *
 * L1. All records are one append: on one machine all of them are there or none is; on Kafka a call that fails may have written some.
 * L2. The same event again (machine, time, type, detail) is a copy, which the operators drop: who got no answer sends it again, with its time. (Not
 *     where readings have the time of their arrival: nothing is known as a copy there.)
 * L3. Nothing is written that the operators would refuse.
 */
export class LineEvents {
  readonly #plan: Pick<Plan, 'lines' | 'time'>
  readonly #usedTypes: ReadonlySet<string>
  readonly #door: Door
  readonly #ingest: IngestPort
  readonly #nowMs: () => number

  /** @param options.usedTypes Types of event that the plan names. */
  constructor(options: {
    readonly plan: Pick<Plan, 'lines' | 'time'>
    readonly usedTypes: readonly string[]
    readonly door: Door
    readonly ingest: IngestPort
    readonly nowMs: () => number
  }) {
    this.#plan = options.plan
    this.#usedTypes = new Set(options.usedTypes)
    this.#door = options.door
    this.#ingest = options.ingest
    this.#nowMs = options.nowMs
  }

  get lines(): readonly PlantLine[] {
    return this.#plan.lines
  }

  /**
   * Writes an event of each machine of a line, or of the machines named, one record even where one is named twice. Resolves when all of it is on
   * stable storage.
   *
   * @throws {LineUnknownError | EventRefusedError} Nothing is written then.
   * @throws What the append throws; see L1.
   */
  async write(target: EventTarget, { type, timestamp, detail }: SharedEvent): Promise<WrittenEvent> {
    const devices = new Set('line' in target ? this.#devicesOf(target.line) : target.devices)
    if (devices.size === 0 || devices.size > limits.lineDevicesMax)
      throw new EventRefusedError(`devices: found ${devices.size}, wanted 1 to ${limits.lineDevicesMax}`)
    const atMs = this.#checkedTime(timestamp)
    const fields = { timestamp: atMs, type, ...(detail === undefined || detail === null ? {} : { detail }) }
    const records = [...devices].map((deviceId) => JSON.stringify({ deviceId, ...fields }))
    const admission = this.#door.deviceEvents(Buffer.from(`${records.join('\n')}\n`))
    try {
      const [refused] = admission.refused
      if (refused !== undefined) throw new EventRefusedError(refused.message, { details: { reason: refused.reason } })
      await this.#ingest.append('device-events', admission.parts)
    } finally {
      admission.release()
    }
    return { type, timestamp: atMs, devices: devices.size, used: this.#usedTypes.has(type) }
  }

  #devicesOf(name: string): readonly string[] {
    const line = this.#plan.lines.find((each) => each.name === name)
    if (line === undefined) {
      const names = this.#plan.lines.map((each) => each.name).join(', ')
      const known = names === '' ? 'the project declares none (lines)' : `the project declares ${names}`
      throw new LineUnknownError(`There is no line "${name.slice(0, 100)}": ${known}`)
    }
    return line.devices
  }

  #checkedTime(timestamp: number | null): number {
    const nowMs = this.#nowMs()
    if (timestamp === null) return nowMs
    const latestMs = Math.min(timestampMsMax, nowMs + this.#plan.time.maxClockAheadMs)
    if (Number.isInteger(timestamp) && timestamp >= 0 && timestamp < latestMs) return timestamp
    const wanted = `whole epoch milliseconds, no more than ${this.#plan.time.maxClockAheadMs / 1000} s ahead`
    throw new EventRefusedError(`timestamp: found ${timestamp}, wanted ${wanted}`)
  }
}
