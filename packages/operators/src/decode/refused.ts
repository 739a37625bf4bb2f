import type { DeadLetterReason, Refusal } from '@millwright/core'

/** Why a line is no reading, in the words of its dead letter. */
export interface Refused {
  readonly kind: 'refused'
  readonly reason: DeadLetterReason
  /** `field: found this, wanted that`. The same on every engine, so no text of a JavaScript engine's own is in it. */
  readonly message: string
  /** The id of the device where it could be read and is in order. */
  readonly deviceId: string | null
}

const textCharactersMax = 40

/** @param field A field of the reading, or `line`. */
export function refused(
  reason: DeadLetterReason,
  { field, found, wanted }: { field: string; found: string; wanted: string },
  deviceId: string | null = null,
): Refused {
  return { kind: 'refused', reason, message: `${field}: found ${found}, wanted ${wanted}`, deviceId }
}

/** The refusal as a batch lists it. */
export function refusalOf(row: number, { reason, message, deviceId }: Refused): Refusal {
  return { row, reason, message, deviceId }
}

/** Prints what was found for a person: a text in quotes and cut, a list or an object by its kind, `undefined` as nothing. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return describeText(value)
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return Object.is(value, -0) ? '-0' : String(value)
}

function describeText(text: string): string {
  // By code points, so that no character is cut in half; the slice keeps a text of a megabyte cheap.
  const characters = [...text.slice(0, 2 * textCharactersMax + 2)]
  const shown = characters.slice(0, textCharactersMax).join('')
  return `text ${JSON.stringify(shown)}${characters.length > textCharactersMax ? '…' : ''}`
}
