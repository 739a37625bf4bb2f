/** A row of a text for a person: what it is, and what it says. */
export type Row = readonly [name: string, value: string]

/** @param value 0 to 1. */
export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`
}

/** UTC, to the second. @param timeMs Epoch milliseconds. */
export function moment(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A title, and rows below it whose values stand in a column. */
export function block(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)].join('\n')
}
