const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Sizes that a person would choose, ascending. */
const windowSizesMs = [
  ...[5, 10, 15, 30].map((minutes) => minutes * minuteMs),
  ...[1, 2, 3, 4, 6, 8, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24].map((hours) => hours * hourMs),
]

/** A standard deviation and a slope of fewer readings say little. */
const readingsPerWindowMin = 12

/**
 * Returns the smallest usual window size, 5 minutes or more, that holds at least a dozen readings of one device.
 *
 * @param intervalMs Usual time between two readings of a device; NaN when it is not known.
 */
export function guessWindowSizeMs(intervalMs: number): number {
  const neededMs = readingsPerWindowMin * intervalMs
  const largest = windowSizesMs.at(-1) as number
  return Number.isNaN(neededMs)
    ? (windowSizesMs[0] as number)
    : (windowSizesMs.find((size) => size >= neededMs) ?? largest)
}
