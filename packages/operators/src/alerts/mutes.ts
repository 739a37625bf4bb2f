import type { AlertMute, MuteCause } from '@millwright/core'
import type { DeviceEvents } from '../features/device-events.ts'

interface MuteOfTypes extends Pick<AlertMute, 'cause' | 'settleMs'> {
  /** How long it lasts after its beginning where no end is known. */
  readonly atMostMs: number
  readonly begin: number
  readonly end: number
}

/**
 * Which windows are muted: those that lie, wholly or in part, in maintenance or in a stop of their device.
 *
 * N1. At a time T a mute is on where the newest beginning at or before T is after the newest end at or before T, for `atMost` at
 *     most; and until `settle` after an end. Of a beginning and an end of one time the end counts.
 * N2. What is known is what had come when the window closed.
 */
export class Mutes {
  readonly #events: DeviceEvents
  readonly #mutes: readonly MuteOfTypes[]

  constructor(events: DeviceEvents, mutes: readonly AlertMute[]) {
    this.#events = events
    this.#mutes = mutes.map(({ cause, beginType, endType, atMostMs, settleMs }) => ({
      cause,
      settleMs,
      atMostMs: (atMostMs ?? Number.POSITIVE_INFINITY) + settleMs,
      begin: events.typeIndex(beginType),
      end: events.typeIndex(endType),
    }))
  }

  /** What mutes the window `[startMs, endMs)` of a device; `null` for nothing. */
  of(device: number, startMs: number, endMs: number): MuteCause | null {
    const mute = this.#mutes.find((candidate) => {
      if (this.#isOn(candidate, device, startMs)) return true
      // It only goes on where something begins or ends.
      const turns = (type: number): boolean =>
        this.#events.someBetween(device, type, startMs, endMs, (timeMs) => this.#isOn(candidate, device, timeMs))
      return turns(candidate.begin) || turns(candidate.end)
    })
    return mute?.cause ?? null
  }

  /** What an event of a type begins that is on at `timeMs`; `null` for nothing. */
  begunBy(device: number, type: number, timeMs: number): MuteCause | null {
    const mute = this.#mutes.find((candidate) => candidate.begin === type && this.#isOn(candidate, device, timeMs))
    return mute?.cause ?? null
  }

  #isOn({ begin, end, atMostMs, settleMs }: MuteOfTypes, device: number, timeMs: number): boolean {
    const begunMs = this.#events.newestAt(device, begin, timeMs)
    const endedMs = this.#events.latestPossibleAt(device, end, timeMs)
    return (begunMs > endedMs && timeMs < begunMs + atMostMs) || timeMs < endedMs + settleMs
  }
}
