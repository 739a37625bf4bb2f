/**
 * How hard a machine works at a time of the week, so that "normal" is not one level: shifts, breaks, weekends and the
 * machine's own production cycle. Times of day are UTC; 0 is standing still, 1 full load.
 */

const hourMs = 3_600_000
const hoursPerWeek = 168
/** 1970-01-01 was a Thursday: hour 0 of the week (Monday 00:00) was 72 hours before. */
const epochHourOfWeek = 72

/** Load of each hour, weekday then Saturday then Sunday, as one digit a tenth. */
const patterns: readonly (readonly [weekday: string, saturday: string, sunday: string])[] = [
  ['333333899958999989999833', '333333899958333333333333', '222222222222222222222222'], // two shifts
  ['999999899998999989999899', '999999899998999989999899', '222222222222222222222299'], // three shifts
  ['222222289995999982222222', '222222222222222222222222', '222222222222222222222222'], // day shift
  ['888888888888888888888888', '888888888888888888888888', '888888888888888888888888'], // round the clock
]

export const shiftPatternCount = patterns.length

const levels = (() => {
  const table = new Float64Array(patterns.length * hoursPerWeek)
  patterns.forEach(([weekday, saturday, sunday], pattern) => {
    const week = weekday.repeat(5) + saturday + sunday
    for (let hour = 0; hour < hoursPerWeek; hour++) table[pattern * hoursPerWeek + hour] = Number(week[hour]) / 10
  })
  return table
})()

/**
 * Returns the planned load at a time, 0..1: the hour's level, reached in a straight line from the hour before within
 * `rampMs`. A short ramp is the drive, a ramp of an hour is the heat that follows it.
 *
 * @param pattern 0 .. shiftPatternCount - 1.
 * @param timeMs Epoch milliseconds, 0 or more.
 * @param rampMs Above 0, up to one hour.
 */
export function plannedLoad(pattern: number, timeMs: number, rampMs: number): number {
  const hours = Math.floor(timeMs / hourMs)
  const intoHourMs = timeMs - hours * hourMs
  const hour = (hours + epochHourOfWeek) % hoursPerWeek
  const row = pattern * hoursPerWeek
  const level = levels[row + hour] as number
  if (intoHourMs >= rampMs) return level
  const before = levels[row + (hour === 0 ? hoursPerWeek - 1 : hour - 1)] as number
  return before + (level - before) * (intoHourMs / rampMs)
}

/** Returns a triangle wave in -1..1 of the given period; `phase` 0..1 shifts it. */
export function triangle(timeMs: number, periodMs: number, phase: number): number {
  const turns = timeMs / periodMs + phase
  const fraction = turns - Math.floor(turns)
  return fraction < 0.5 ? 4 * fraction - 1 : 3 - 4 * fraction
}
