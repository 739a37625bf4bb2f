import { type NaiveAlert, newNaiveAlert } from './naive-alerts.ts'
import type { NaiveEntry, NaiveEvent } from './naive-features.ts'
import type { NaiveReading } from './naive-statistics.ts'

/** A window with everything that ever went into it. */
export interface NaiveWindow {
  startMs: number
  endMs: number
  readings: NaiveReading[]
  results: number
  changed: boolean
  closed: boolean
  /** Start that its last result had; `null` before the first. Differs from the start only for sessions that grew since. */
  emittedStartMs: number | null
}

/** One device with everything that is known of it: nothing is ever thrown away but by the rules. */
export interface NaiveDevice {
  readonly id: string
  clockMs: number
  lastAppendMs: number
  silent: boolean
  waiting: { readonly reading: NaiveReading; readonly line: Uint8Array } | null
  /** The last accepted readings, oldest first. */
  accepted: NaiveReading[]
  windows: NaiveWindow[]
  history: NaiveEntry[]
  events: (NaiveEvent & { readonly detail: string })[]
  greatestEmittedEndMs: number
  readonly alert: NaiveAlert
}

export function newNaiveDevice(id: string): NaiveDevice {
  return {
    id,
    clockMs: Number.NEGATIVE_INFINITY,
    lastAppendMs: Number.NaN,
    silent: false,
    waiting: null,
    accepted: [],
    windows: [],
    history: [],
    events: [],
    greatestEmittedEndMs: Number.NEGATIVE_INFINITY,
    alert: newNaiveAlert(),
  }
}
