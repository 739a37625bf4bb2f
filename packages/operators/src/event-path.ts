import { type Plan, type ReadingDecoder, refusedBytes, type TimeRules } from '@millwright/core'
import { clock, emittedEnd } from '@millwright/kernels'
import type { Mutes } from './alerts/mutes.ts'
import type { Counters } from './counters.ts'
import { devicesMaxRefusal, devicesShareRefusal } from './decode/device-id.ts'
import { lineBreakBytes, newline } from './decode/lines.ts'
import type { Refused } from './decode/refused.ts'
import { type DecodedDeviceEvent, decodeDeviceEvent } from './device-event-line.ts'
import type { DeviceMemory } from './device-memory.ts'
import type { DeviceTimers } from './device-timers.ts'
import type { ResultWriter } from './output/result-writer.ts'
import type { Quarantine } from './quarantine.ts'
import { futureMessage } from './reading-path.ts'

/**
 * The way of a device event: deadlines of its device, future guard, then it is there for the windows that close after it. Where it begins
 * maintenance or a stop, it ends the device's alert.
 * An event is a record of its device like any other, so it ends a silence; it does not move the device clock.
 */
export class EventPath {
  readonly #decoder: ReadingDecoder
  readonly #memory: DeviceMemory
  readonly #timers: DeviceTimers
  readonly #results: ResultWriter
  readonly #counters: Counters
  readonly #time: TimeRules
  readonly #perReading: boolean
  readonly #quarantine: Quarantine | null
  readonly #mutes: Mutes | null
  readonly #hasRoom: (device: number) => boolean

  constructor(options: {
    readonly decoder: ReadingDecoder
    readonly memory: DeviceMemory
    readonly timers: DeviceTimers
    readonly results: ResultWriter
    readonly counters: Counters
    readonly plan: Plan
    readonly quarantine: Quarantine | null
    readonly mutes: Mutes | null
    /** Whether a host has room for a device that would begin. */
    readonly hasRoom: (device: number) => boolean
  }) {
    this.#decoder = options.decoder
    this.#memory = options.memory
    this.#timers = options.timers
    this.#results = options.results
    this.#counters = options.counters
    this.#time = options.plan.time
    this.#quarantine = options.quarantine
    this.#mutes = options.mutes
    this.#hasRoom = options.hasRoom
    this.#perReading = options.plan.window.kind === 'per-reading'
  }

  /** Takes newline-separated events. Line i has offset `baseOffset + i`; a final newline is optional. */
  lines(bytes: Uint8Array, baseOffset: number, appendTimeMs: number): void {
    let inputOffset = baseOffset
    for (let start = 0; start < bytes.length; inputOffset++) {
      const newlineAt = bytes.indexOf(newline, start)
      const next = newlineAt < 0 ? bytes.length : newlineAt + 1
      this.#line(bytes, start, next - lineBreakBytes(bytes, start, next), inputOffset, appendTimeMs)
      start = next
    }
  }

  #line(bytes: Uint8Array, start: number, end: number, inputOffset: number, appendTimeMs: number): void {
    const line = decodeDeviceEvent(bytes, start, end)
    if (line.kind === 'blank') return
    this.#counters.add('device_events_in_total')
    const refusal =
      line.kind === 'refused' ? line : this.#eventGuarded(line, bytes, start, end, inputOffset, appendTimeMs)
    if (refusal === null) return
    const { reason, message, deviceId } = refusal
    const record = refusedBytes(bytes, start, end)
    this.#results.deadLetter({ reason, message, topic: 'device-events', deviceId, record }, inputOffset)
  }

  /** Takes an event, so that where a project's own function fails the device is as if the event had never come. */
  #eventGuarded(
    event: DecodedDeviceEvent,
    bytes: Uint8Array,
    start: number,
    end: number,
    inputOffset: number,
    appendTimeMs: number,
  ): Refused | null {
    const quarantine = this.#quarantine
    const device = quarantine === null ? -1 : this.#decoder.deviceIndex(event.deviceId)
    if (quarantine === null || device < 0) return this.#event(event, inputOffset, appendTimeMs)
    if (!this.#memory.table.exists(device) && !this.#hasRoom(device))
      return devicesShareRefusal(event.deviceId, this.#time.devicesMax)
    let refused: Refused | null = null
    quarantine.run(device, inputOffset, 'device-events', {
      act: () => {
        refused = this.#event(event, inputOffset, appendTimeMs)
      },
      record: () => refusedBytes(bytes, start, end),
    })
    return refused
  }

  /** Returns why the event is refused, `null` where it is taken. */
  #event(event: DecodedDeviceEvent, inputOffset: number, appendTimeMs: number): Refused | null {
    const { deviceId, timestampMs } = event
    const device = this.#decoder.deviceIndex(deviceId)
    if (device < 0) return devicesMaxRefusal(deviceId, this.#time.devicesMax)
    this.#timers.recordCame(device, appendTimeMs, inputOffset)
    const { maxClockAheadMs } = this.#time
    if (timestampMs - appendTimeMs > maxClockAheadMs) {
      const message = futureMessage(timestampMs, appendTimeMs, maxClockAheadMs)
      return { kind: 'refused', reason: 'future', message, deviceId }
    }
    if (this.#keep(device, event)) this.#endAlert(device, event, inputOffset, appendTimeMs)
    return null
  }

  /** Where an event begins a mute that is on at the device's clock, its alert ends with it. */
  #endAlert(
    device: number,
    { type, timestampMs }: DecodedDeviceEvent,
    inputOffset: number,
    appendTimeMs: number,
  ): void {
    const { table, events } = this.#memory
    const nowMs = Math.max(table.float(device, clock), timestampMs)
    const cause = this.#mutes?.begunBy(device, events.typeIndex(type), nowMs) ?? null
    if (cause === null) return
    this.#results.endAlert(device, cause, Number.isNaN(appendTimeMs) ? timestampMs : appendTimeMs, inputOffset)
  }

  /** Returns whether the event is there for windows to come. */
  #keep(device: number, event: DecodedDeviceEvent): boolean {
    const { table, events } = this.#memory
    const { graceMs, allowedLatenessMs } = this.#time
    // A per-reading window may come of any time, however old; the others end after what is closed for good.
    const usableAfterMs = this.#perReading
      ? Number.NEGATIVE_INFINITY
      : table.float(device, clock) - graceMs - allowedLatenessMs
    const fate = events.add(device, events.typeIndex(event.type), event, {
      usableAfterMs,
      redelivery: this.#time.timestamp === 'event',
    })
    if (fate === 'unused') this.#counters.add('device_events_unused_total')
    else if (fate === 'redelivered') this.#counters.add('device_events_redelivered_total')
    else {
      if (fate === 'kept-oldest-dropped') this.#counters.add('device_events_not_kept_total')
      // A window that would have used it has given its result already.
      if (event.timestampMs <= table.float(device, emittedEnd)) this.#counters.add('device_events_late_total')
    }
    return fate === 'kept' || fate === 'kept-oldest-dropped'
  }
}
