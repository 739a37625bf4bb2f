/** Causes that are told: beyond these a chain says nothing new. */
const causesMax = 8

/** Says what went wrong, for a person: the message, and what it came from, where that says more. No stack. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  let text = error.message
  let cause = error.cause
  for (let depth = 0; cause instanceof Error && depth < causesMax; depth++) {
    if (!text.includes(cause.message)) text += `\n  because: ${cause.message}`
    cause = cause.cause
  }
  return text
}
