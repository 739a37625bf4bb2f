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

/**
 * Keeps a record on which a project's own function fails from stopping a host that serves many devices.
 *
 * Q1. A record that fails leaves one trace, its dead letter: the device's state, what was to be emitted, and the timer it had are
 *     as before it. So the next record of the device meets what this one met.
 * Q2. Only a {@link UserFunctionError} is held back. Whatever else is thrown is ours or the host's, and stops the task.
 */
export class Quarantine {
  readonly #memory: DeviceMemory
  readonly #codec: DeviceStateCodec
  readonly #results: ResultWriter
  readonly #timers: HostTimers
  readonly #deviceId: (device: number) => string
  /** Offset of the record at hand; stays where what is thrown is not held back. NaN for none. */
  offsetAtHand = Number.NaN
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
    const message = this.#attempt(device, act)
    this.offsetAtHand = Number.NaN
    if (message === null) return
    const deviceId = this.#deviceId(device)
    const letter = { reason: 'function-failed', message, topic, deviceId, record: record() } as const
    this.#results.deadLetter(letter, inputOffset)
  }

  /** Lets a timer act on its device. Returns false where that failed: the device's next record will meet the same. */
  runTimer(device: number, act: () => void): boolean {
    if (this.#attempt(device, act) === null) return true
    // The timer is gone: the next record asks for another.
    this.#timers.clear(device)
    return false
  }

  /** Returns why it failed, `null` where it did not. */
  #attempt(device: number, act: () => void): string | null {
    const { table } = this.#memory
    const existed = table.exists(device)
    const askedForMs = this.#timers.askedForMs(device)
    this.#image.length = 0
    if (existed) this.#codec.write(device, this.#image)
    const mark = this.#results.mark()
    const { requestCount } = this.#timers
    try {
      act()
      return null
    } catch (error) {
      if (!(error instanceof UserFunctionError)) throw error
      this.#results.undo(mark)
      this.#timers.undo(requestCount)
      if (existed) {
        this.#codec.read(device, this.#image.since(0))
      } else if (table.exists(device)) {
        clearBeside(this.#memory, device)
        table.end(device)
      }
      this.#timers.set(device, askedForMs)
      return causeOf(error)
    }
  }
}

function causeOf(error: UserFunctionError): string {
  const { cause } = error
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}
