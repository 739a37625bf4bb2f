/**
 * Turns wall-clock times into instants. Asking the platform for the offset of an instant takes microseconds, so the
 * answers are kept: most stretches of three days hold no change of the clocks at all.
 */
export interface TimeZone {
  /**
   * Returns the instant (epoch milliseconds) at which clocks of the zone show this wall-clock time.
   *
   * Where clocks are set back an hour shows twice: the first of the two instants is meant. Where they are set forward
   * some times are never shown: NaN. Before 1970 and after 2200 the zone is taken for UTC.
   *
   * @param wallMs The wall-clock time as if it were UTC, epoch milliseconds.
   */
  epochMs(wallMs: number): number
}

const dayMs = 86_400_000
const stretchMs = 3 * dayMs
/** No timestamp outside is accepted further on; not looking up the clocks of other years bounds what is kept. */
const wallMsMin = Date.UTC(1969, 11, 30)
const wallMsMax = Date.UTC(2200, 0, 3)

/** A stretch of UTC time: `before` holds until `changeAt` (which may be never), `after` from then on. */
interface Stretch {
  readonly before: number
  readonly changeAt: number
  readonly after: number
}

/** @throws {RangeError} When the platform knows no zone of this name. */
export function createTimeZone(name: string): TimeZone {
  const offsetOf = platformOffset(name)
  // At most 28,000 of each: `wallMsMin` and `wallMsMax` bound what is asked for.
  const stretches = new Map<number, Stretch>()
  const steadyOffsets = new Map<number, number>()
  let lastIndex = Number.NaN
  let lastSteadyOffset = Number.NaN

  function stretch(index: number): Stretch {
    const known = stretches.get(index)
    if (known !== undefined) return known
    const made = findChange(offsetOf, index * stretchMs, (index + 1) * stretchMs)
    stretches.set(index, made)
    return made
  }

  function offsetAt(utcMs: number): number {
    const { before, changeAt, after } = stretch(Math.floor(utcMs / stretchMs))
    return utcMs < changeAt ? before : after
  }

  /** The offset in and around a stretch of wall-clock time, or NaN where it is not one and the same throughout. */
  function steadyOffset(index: number): number {
    const known = steadyOffsets.get(index)
    if (known !== undefined) return known
    const around = [stretch(index - 1), stretch(index), stretch(index + 1)]
    const offset = (around[0] as Stretch).before
    const steady = around.every(({ before, after }) => before === offset && after === offset) ? offset : Number.NaN
    steadyOffsets.set(index, steady)
    return steady
  }

  function epochMsNearChange(wallMs: number): number {
    // Offsets are less than a day, so these two are surely the ones before and after the change.
    const earlier = offsetAt(wallMs - dayMs)
    const later = offsetAt(wallMs + dayMs)
    if (offsetAt(wallMs - earlier) === earlier) return wallMs - earlier
    if (offsetAt(wallMs - later) === later) return wallMs - later
    return Number.NaN
  }

  return {
    epochMs(wallMs) {
      if (!(wallMs >= wallMsMin && wallMs <= wallMsMax)) return wallMs
      const index = Math.floor(wallMs / stretchMs)
      if (index !== lastIndex) {
        lastSteadyOffset = steadyOffset(index)
        lastIndex = index
      }
      return Number.isNaN(lastSteadyOffset) ? epochMsNearChange(wallMs) : wallMs - lastSteadyOffset
    },
  }
}

/** Finds the one change of the clocks between two instants by halving; clocks do not change twice in three days. */
function findChange(offsetOf: (utcMs: number) => number, startMs: number, endMs: number): Stretch {
  const before = offsetOf(startMs)
  const after = offsetOf(endMs)
  if (before === after) return { before, changeAt: Number.POSITIVE_INFINITY, after }
  let unchangedMs = startMs
  let changedMs = endMs
  while (changedMs - unchangedMs > 1) {
    const middleMs = Math.floor((unchangedMs + changedMs) / 2)
    if (offsetOf(middleMs) === before) unchangedMs = middleMs
    else changedMs = middleMs
  }
  return { before, changeAt: changedMs, after }
}

/** Offset of a zone from UTC at an instant, in milliseconds, positive in the east. */
function platformOffset(name: string): (utcMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (utcMs) => {
    const wholeMs = Math.floor(utcMs / 1000) * 1000
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(wholeMs)) parts[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) - wholeMs
  }
}
