/** A range in which values of a channel are plausible; `null` for no limit. */
export interface PlausibleRange {
  readonly min: number | null
  readonly max: number | null
}

/** What is known of a channel's values. `low` and `high` are quantiles, so that outliers do not move them. */
export interface ValueSpread {
  readonly min: number
  readonly max: number
  readonly low: number
  readonly high: number
}

/** Extremes so many widths away from the middle part are taken for real; those beyond for a sensor that was broken. */
const believedWidths = 3

/**
 * Guesses a range from values that were seen: their middle part with half of its width to spare on either side, and the
 * extremes where they are not absurdly far away, rounded outwards to a number that a person would write. Quantities that
 * were never negative stay so (but for °C, whose zero means nothing); percentages of at most 100 too.
 */
export function guessRange({ min, max, low, high }: ValueSpread, unit: string): PlausibleRange {
  const width = high - low || Math.abs(high) || 1
  const step = niceStep(width)
  const lowest = min >= low - believedWidths * width ? Math.min(min, low - width / 2) : low - width / 2
  const highest = max <= high + believedWidths * width ? Math.max(max, high + width / 2) : high + width / 2
  const from = roundTo(Math.floor(lowest / step), step)
  const to = roundTo(Math.ceil(highest / step), step)
  return {
    min: min >= 0 && unit !== '°C' ? Math.max(0, from) : from,
    max: unit === '%' && max <= 100 ? Math.min(100, to) : to,
  }
}

/** The largest of 1, 2, 5 times a power of ten that divides a width into five parts at least. */
function niceStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width / 5))
  const factor = [5, 2, 1].find((each) => each * power <= width / 5) ?? 1
  return factor * power
}

/** `count` steps, without the dust that multiplying by 0.1 leaves. */
function roundTo(count: number, step: number): number {
  const decimals = Math.max(0, -Math.floor(Math.log10(step)))
  return Number((count * step).toFixed(Math.min(decimals, 20))) + 0
}
