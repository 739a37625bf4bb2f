import { setTimeout as delay } from 'node:timers/promises'
import type { Simulation } from '@millwright/simulator'

/** One pull: large enough that requests and writes cost little, small beside what a plant takes at once (32 MiB). */
const chunkBytes = 512 * 1024
/** Shortest pause between two pulls, so that a fleet of a million does not make a million requests. */
const pauseMsMin = 20

export interface Pace {
  /** How many times faster than the wall clock; `null` as fast as the lines are taken. */
  readonly speed: number | null
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
}

/** The real clock. An aborted wait ends at once and is no error: the loop looks at the signal itself. */
export function wallClockPace(speed: number | null, signal: AbortSignal): Pace {
  return {
    speed,
    now: Date.now,
    wait: async (ms) => {
      await delay(ms, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    },
  }
}

/**
 * Yields a simulation's lines in chunks of whole lines, each in memory of its own. With a speed, a line is yielded once
 * the wall clock has come to its arrival; however that cuts the chunks, the bytes are the same.
 */
export async function* pacedLines(
  simulation: Simulation,
  pace: Pace,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const { startMs, durationMs } = simulation.options
  const beganMs = pace.now()
  while (!signal.aborted) {
    const dueMs = pace.speed === null ? Number.POSITIVE_INFINITY : startMs + (pace.now() - beganMs) * pace.speed
    const untilMs = dueMs >= startMs + durationMs ? Number.POSITIVE_INFINITY : dueMs
    const chunk = new Uint8Array(chunkBytes)
    const length = simulation.fill(chunk, untilMs)
    if (length > 0) yield chunk.subarray(0, length)
    else if (untilMs === Number.POSITIVE_INFINITY) return
    else await pace.wait(Math.max(pauseMsMin, (simulation.nextArrivalMs - dueMs) / (pace.speed ?? 1)))
  }
}
