import * as z from 'zod'
import { durationMs } from './duration.ts'

/** Parts that the schemas of a project's settings share. Each error text says what is wanted. */

export const dayMs = 86_400_000
export const yearMs = 366 * dayMs

const wantedDuration = "a length of time such as '5 min', '90 s', '2 h' or '30 d'"

/** A duration between two bounds, as milliseconds. */
export function duration(minMs: number, maxMs: number, wanted = wantedDuration) {
  return z
    .string(wanted)
    .transform((text) => durationMs(text))
    .refine((ms): ms is number => ms !== null && ms >= minMs && ms <= maxMs, wanted)
}

export function text(wanted: string, pattern: RegExp) {
  return z.string(wanted).regex(pattern, wanted)
}

export function wholeNumber(min: number, max: number) {
  const wanted = `a whole number from ${min} to ${max}`
  return z.int(wanted).min(min, wanted).max(max, wanted)
}

/** Lower-case words joined by `-`. */
export const plainName = text(
  'lower-case words of letters and digits joined by `-`, at most 64 long',
  /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
).max(64, 'at most 64 characters')
