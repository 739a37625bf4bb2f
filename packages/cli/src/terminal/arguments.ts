import { ConfigurationError } from '@millwright/core'

/**
 * Reads a whole number that a user gave on the command line.
 *
 * @throws {ConfigurationError} When it is not a whole number from `min` to `max`.
 */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value
  throw new ConfigurationError('The command cannot run.', [
    { field: flag, found: text, wanted: `a whole number from ${min} to ${max}` },
  ])
}
