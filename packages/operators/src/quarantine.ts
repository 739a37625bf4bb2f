import { type RefusedBytes, type TopicName, UserFunctionError } from '@millwright/core'
import { ByteWriter } from './byte-writer.ts'
import { clearBeside, type DeviceMemory } from './device-memory.ts'
import type { DeviceStateCodec } from './device-state.ts'
import type { HostTimers } from './host-timers.ts'
import type { ResultWriter } from './output/result-writer.ts'

/** What one record does, and its bytes where it fails. */
export interface GuardedRecord {
  readonly act: () => void
  readonly record: () => RefusedBytes
}

/** How things stood before a record or timer acted. */
interface AtHand {
  readonly device: number
  readonly existed: boolean
  readonly askedForMs: number
  readonly requestCount: number
  /** `null` for a timer. */
  readonly letter: {
    readonly inputOffset: number
    readonly topic: TopicName
    readonly record: () => RefusedBytes
  } | null
}

/**
 * Keeps a record on which a project's own function fails from stopping a host that serves many devices.
 *
 * Q1. A record that fails leaves one trace, its dead letter: the device's state, what was to be emitted, and the timer it had are
 *     as before it. So the next record of the device meets what this one met.
 * Q2. A record or timer that the host ended, since a project's function did not come back, leaves the same. V8 runs nothing of the script
 *     then, neither `catch` nor `finally`: what is needed to put things back stands in fields before the record acts.
 * Q3. Only a {@link UserFunctionError} is held back. Whatever else is thrown is ours or the host's, and stops the task.
 */
export class Quarantine {
  readonly #memory: DeviceMemory
  readonly #codec: DeviceStateCodec
  readonly #results: ResultWriter
  readonly #timers: HostTimers
  readonly #deviceId: (device: number) => string
  /** Offset of the record at hand; stays where what is thrown is not held back. NaN for none. */
  offsetAtHand = Number.NaN
  /** What acts, from before it does until it has; stays where the host ends it. */
  #atHand: AtHand | null = null
  readonly #image = new ByteWriter(4096)

  constructor(options: {
    readonly memory: DeviceMemory
    readonly codec: DeviceStateCodec
    readonly results: ResultWriter
    readonly timers: HostTimers
    readonly deviceId: (device: number) => string
  }) {
    this.#memory = options.memory
    this.#codec = options.codec
    this.#results = options.results
    this.#timers = options.timers
    this.#deviceId = options.deviceId
  }

  /** Lets a record act on its device; makes it a dead letter where that fails. */
  run(device: number, inputOffset: number, topic: TopicName, { act, record }: GuardedRecord): void {
    this.offsetAtHand = inputOffset
    this.#attempt(this.#begin(device, { inputOffset, topic, record }), act)
    this.offsetAtHand = Number.NaN
  }

  /** Lets a timer act on its device. Returns false where that failed: the device's next record will meet the same. */
  runTimer(device: number, act: () => void): boolean {
    return this.#attempt(this.#begin(device, null), act)
  }

  /** What the host ended is put back as if it had failed (Q2). Returns what it was; `null` where nothing was at hand. */
  abandon(message: string): 'record' | 'timer' | null {
    const atHand = this.#atHand
    if (atHand === null) return null
    this.#fail(atHand, message)
    this.offsetAtHand = Number.NaN
    return atHand.letter === null ? 'timer' : 'record'
  }

  #begin(device: number, letter: AtHand['letter']): AtHand {
    const existed = this.#memory.table.exists(device)
    this.#image.length = 0
    if (existed) this.#codec.write(device, this.#image)
    const { requestCount } = this.#timers
    const askedForMs = this.#timers.askedForMs(device)
    this.#results.mark(device)
    return { device, existed, askedForMs, requestCount, letter }
  }

  /** Returns whether it did not fail. */
  #attempt(atHand: AtHand, act: () => void): boolean {
    this.#atHand = atHand
    try {
      act()
    } catch (error) {
      if (!(error instanceof UserFunctionError)) throw error
      this.#fail(atHand, causeOf(error))
      return false
    }
    this.#atHand = null
    return true
  }

  #fail({ device, existed, askedForMs, requestCount, letter }: AtHand, message: string): void {
    const { table, alerts } = this.#memory
    this.#atHand = null
    this.#results.undo()
    this.#timers.undo(requestCount)
    if (existed) {
      // Windows of earlier records may have been decided on since the image was made: that stays.
      const alert = alerts?.copy(device)
      this.#codec.read(device, this.#image.since(0))
      if (alert !== undefined) alerts?.put(device, alert)
    } else if (table.exists(device)) {
      clearBeside(this.#memory, device)
      table.end(device)
    }
    // A timer that failed is gone: the device's next record asks for another.
    if (letter === null) this.#timers.clear(device)
    else this.#timers.set(device, askedForMs)
    if (letter === null) return
    const { inputOffset, topic, record } = letter
    const deviceId = this.#deviceId(device)
    this.#results.deadLetter({ reason: 'function-failed', message, topic, deviceId, record: record() }, inputOffset)
  }
}

function causeOf(error: UserFunctionError): string {
  const { cause } = error
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}
