import { createTimeReader } from '@millwright/gateways/files'

/** How the times of a column are written. */
export interface GuessedTime {
  readonly format: string
  /** Another format that reads every time too; `null` where there is none. */
  readonly orElse: string | null
  /** Whether the times name their zone. */
  readonly zoned: boolean
}

const clocks = ['HH:mm:ss[.SSS]', 'HH:mm', 'h:mm:ss a', 'h:mm a', 'H:mm:ss', 'H:mm']
const dates = [
  'dd.MM.yyyy',
  'd.M.yyyy',
  'dd/MM/yyyy',
  'MM/dd/yyyy',
  'd/M/yyyy',
  'M/d/yyyy',
  'yyyy/MM/dd',
  'dd-MM-yyyy',
  'yyyy.MM.dd',
]
/** In order of preference; of two that read every time, the one under which time goes on more steadily is meant. */
const formats: readonly string[] = [
  'iso',
  ...dates.flatMap((date) => clocks.map((clock) => `${date} ${clock}`)),
  'yyyyMMddHHmmss',
  'yyyyMMdd HHmmss',
  ...dates,
]

/** Numbers are taken for times only in these ranges: 2000 to 2200. */
const secondsFrom = 946_684_800
const secondsBefore = 7_289_654_400

/** Guesses how a column's times are written; `null` when it holds no times. @param cells Not empty. */
export function guessTime(cells: readonly string[]): GuessedTime | null {
  const numbers = cells.map((cell) => (/^\d{9,16}(?:\.\d+)?$/.test(cell) ? Number(cell) : Number.NaN))
  if (numbers.every((value) => value >= secondsFrom * 1000 && value < secondsBefore * 1000))
    return { format: 'epoch-ms', orElse: null, zoned: true }
  if (numbers.every((value) => value >= secondsFrom && value < secondsBefore))
    return { format: 'epoch-s', orElse: null, zoned: true }
  const fitting = formats
    .map((format) => ({ format, times: cells.map(createTimeReader({ format, timeZone: 'UTC' })) }))
    .filter(({ times }) => times.every((time) => !Number.isNaN(time)))
    .map(({ format, times }) => ({ format, unsteadiness: unsteadiness(times), last: times.at(-1), first: times[0] }))
    .sort((a, b) => a.unsteadiness - b.unsteadiness)
  const [best] = fitting
  if (best === undefined) return null
  const other = fitting.find(({ first, last }) => first !== best.first || last !== best.last)
  const zoned = best.format === 'iso' && cells.every((cell) => /(?:[Zz]|[+-]\d\d(?::?\d\d)?)$/.test(cell.slice(10)))
  return { format: best.format, orElse: other?.format ?? null, zoned }
}

/** How far the times wander in all: small where day and month are not taken for each other. */
function unsteadiness(times: readonly number[]): number {
  let sum = 0
  for (let i = 1; i < times.length; i++) sum += Math.abs((times[i] ?? 0) - (times[i - 1] ?? 0))
  return sum
}
