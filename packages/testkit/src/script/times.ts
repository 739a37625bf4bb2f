/** The day that scripts play on: 2026-01-01T00:00:00Z. */
export const scriptDayMs = 1_767_225_600_000

const dayMs = 86_400_000
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: dayMs }

/** Parses `HH:MM:SS`, `HH:MM:SS.mmm`, with `+2d ` for two days later: epoch milliseconds; `null` where it is not that. */
export function parseTime(text: string): number | null {
  const match = /^(?:([+-]\d+)d)?(\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?$/.exec(text)
  if (match === null) return null
  const [, days, hours, minutes, seconds, milliseconds] = match
  const timeOfDayMs = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000
  return scriptDayMs + Number(days ?? 0) * dayMs + timeOfDayMs + Number(milliseconds ?? 0)
}

/** Prints a time as {@link parseTime} reads it. */
export function formatTime(timeMs: number): string {
  const days = Math.floor((timeMs - scriptDayMs) / dayMs)
  const restMs = timeMs - scriptDayMs - days * dayMs
  const digits = (value: number, count: number): string => String(value).padStart(count, '0')
  const [hours, minutes] = [Math.floor(restMs / 3_600_000), Math.floor(restMs / 60_000) % 60]
  const [seconds, milliseconds] = [Math.floor(restMs / 1000) % 60, restMs % 1000]
  const day = days === 0 ? '' : `${days > 0 ? '+' : ''}${days}d`
  const fraction = milliseconds === 0 ? '' : `.${digits(milliseconds, 3)}`
  return `${day}${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}${fraction}`
}

/** Parses `500ms`, `10s`, `5m`, `24h`, `30d`: milliseconds; `null` where it is not that. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  return match === null ? null : Number(match[1]) * (unitsMs[match[2] ?? ''] ?? Number.NaN)
}
