import { heartbeatDevicePrefix, type Plan, type WindowNode } from '@millwright/core'

/** A reading of the heartbeat device. */
export interface Beat {
  readonly deviceId: string
  /** Event time, epoch milliseconds. */
  readonly timestampMs: number
}

/** 1980 to 2010: behind every clock, so that no guard against the future is met, and no time that looks like seconds. */
const lineStartMs = 315_532_800_000
const lineEndMs = 1_262_304_000_000
/** Readings as windows of their own need no step: one that keeps event times apart. */
const perReadingStepMs = 1000

/**
 * The event time of the heartbeat: not that of the clock, or a window of five minutes would be closed every five minutes.
 *
 * L1. Each beat is a window (a slide, a gap) later than the one before, and closes the first window of that one: a result a beat.
 * L2. A beat is a function of the plan and of the moment it is sent at. So the line goes on over restarts with nothing stored, and
 *     several gateways of one plant send the same beats, of which the operators keep one.
 * L3. Where thirty years are through, the line begins anew with another device, since no device's clock goes back.
 */
export class HeartbeatLine {
  readonly #intervalMs: number
  readonly #window: WindowNode
  readonly #graceMs: number
  readonly #stepMs: number
  readonly #startMs: number
  readonly #beatCount: number

  constructor({ window, time }: Pick<Plan, 'window' | 'time'>, intervalMs: number) {
    this.#intervalMs = intervalMs
    this.#window = window
    this.#graceMs = time.graceMs
    this.#stepMs = stepOf(window, time.graceMs)
    // Windows begin at multiples of their step, and so does the line.
    this.#startMs = Math.ceil(lineStartMs / this.#stepMs) * this.#stepMs
    this.#beatCount = Math.floor((lineEndMs - this.#startMs) / this.#stepMs)
  }

  /** The beat of a moment, epoch milliseconds; the same within an interval. */
  at(nowMs: number): Beat {
    const beat = Math.floor(nowMs / this.#intervalMs)
    const round = Math.floor(beat / this.#beatCount)
    return {
      // Another step or interval makes other times of the same moments: those are another device's (L3).
      deviceId: `${heartbeatDevicePrefix}${this.#stepMs}-${this.#intervalMs}/${round}`,
      timestampMs: this.#startMs + (beat - round * this.#beatCount) * this.#stepMs + this.#graceMs,
    }
  }

  /** Event time from which on a reading closes the window that ends there. */
  closesAtMs(windowEndMs: number): number {
    return this.#window.kind === 'per-reading' ? windowEndMs - 1 : windowEndMs + this.#graceMs
  }
}

function stepOf(window: WindowNode, graceMs: number): number {
  switch (window.kind) {
    case 'tumbling':
      return beyondGrace(window.sizeMs, graceMs)
    case 'hopping':
      return beyondGrace(window.slideMs, graceMs)
    case 'session':
      return window.gapMs + graceMs
    case 'per-reading':
      return perReadingStepMs
  }
}

/** Windows shorter than the grace: so many of them that the one before has closed. */
function beyondGrace(windowMs: number, graceMs: number): number {
  return windowMs * (Math.floor(graceMs / windowMs) + 1)
}
