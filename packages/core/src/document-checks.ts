import { jsonDepthMax } from './limits.ts'
import { utf8ByteLength } from './text.ts'

/** What records that people write have in common: checks of values that came as JSON. */

/** Years 1970 to 2200, as readings have it. */
const timeMsMax = 7_289_654_400_000

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whole epoch milliseconds in 1970 to 2200. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= timeMsMax
}

/** Text that is not empty, of at most `bytesMax` UTF-8 bytes, without control characters and lone surrogates. */
export function isName(value: unknown, bytesMax: number): value is string {
  if (typeof value !== 'string' || value === '' || utf8ByteLength(value) > bytesMax) return false
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return value.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(value)
}

/** What was found, for a message to a person; cut to a line. */
export function found(value: unknown): string {
  if (value === undefined) return 'found nothing'
  // Writing JSON recurses, and would end at the stack's end, which is not the same everywhere.
  if (isDeeperThan(value, jsonDepthMax)) return `found a value more than ${jsonDepthMax} deep`
  return `found ${(JSON.stringify(value) ?? String(value)).slice(0, 60)}`
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((inner) => isDeeperThan(inner, depth - 1))
}
