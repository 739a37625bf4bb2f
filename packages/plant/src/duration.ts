/** Units of time that a project may write. A day is 24 hours. */
const unitMs = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const

export type DurationUnit = keyof typeof unitMs

/** A length of time as a person writes it: `'5 min'`, `'90 s'`, `'1.5 h'`, `'30 d'`. */
export type Duration = `${number} ${DurationUnit}`

const pattern = /^(\d+(?:\.\d+)?) (ms|s|min|h|d)$/

/**
 * Returns the whole milliseconds of a duration, or `null` when the text is none (a wrong unit, a sign, no space) or
 * is not a whole number of milliseconds.
 *
 * @example durationMs('5 min') // 300000
 */
export function durationMs(text: string): number | null {
  const match = pattern.exec(text)
  if (match === null) return null
  const ms = Number(match[1]) * unitMs[match[2] as DurationUnit]
  return Number.isSafeInteger(ms) ? ms : null
}

/**
 * Prints milliseconds with the largest unit that keeps them whole; the inverse of {@link durationMs}.
 *
 * @example formatDuration(300000) // '5 min'
 */
export function formatDuration(ms: number): Duration {
  const units: readonly DurationUnit[] = ['d', 'h', 'min', 's']
  for (const unit of units) if (ms >= unitMs[unit] && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]} ${unit}`
  return `${ms} ms`
}
