import { table } from './measure.ts'

/** One number of a run, kept as a JSON line so that runs can be compared. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** A ratio that the project wants of itself, and what it was in this run. */
export interface Goal {
  readonly wanted: string
  readonly found: string
  readonly met: boolean
}

/** What one subject of the benchmarks found. */
export interface Report {
  readonly title: string
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
  /** What was left out and why, and what a reader must know to judge the figures. */
  readonly notes: readonly string[]
  readonly figures: readonly Figure[]
}

/** Renders a report as Markdown. */
export function markdownOf({ title, header, rows, goals, notes }: Report): string {
  const parts = [`## ${title}`, table(header, rows)]
  if (goals.length > 0)
    parts.push(
      goals.map(({ wanted, found, met }) => `- wanted ${wanted}: ${found}, ${met ? 'met' : '**missed**'}`).join('\n'),
    )
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'))
  return parts.join('\n\n')
}

/** A goal that a ratio be at least so many times. */
export function atLeast(what: string, ratio: number, wanted: number): Goal {
  return { wanted: `≥ ${wanted}× ${what}`, found: `${ratio.toFixed(2)}×`, met: ratio >= wanted }
}

/** A goal that a value be at most so much. */
export function atMost(what: string, value: number, wanted: number, unit: string): Goal {
  return {
    wanted: `${what} ≤ ${wanted} ${unit}`,
    found: `${value < 100 ? value.toPrecision(3) : value.toFixed(0)} ${unit}`,
    met: value <= wanted,
  }
}

/** The middle one of values, or what is half way between the two middle ones; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [lower, upper] = [sorted[(values.length - 1) >> 1], sorted[values.length >> 1]]
  return lower === undefined || upper === undefined ? Number.NaN : (lower + upper) / 2
}

/** Smallest and largest of values around their median, as a share of it: how far apart the rounds of one run are. */
export function spread(values: readonly number[]): string {
  if (values.length < 2) return 'one round'
  const middle = median(values)
  const percent = (value: number): string =>
    `${value < middle ? '−' : '+'}${Math.abs((value / middle - 1) * 100).toFixed(0)}`
  return `${percent(Math.min(...values))}/${percent(Math.max(...values))} %`
}
