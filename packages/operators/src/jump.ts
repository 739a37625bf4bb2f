/**
 * Says for a person why a reading far ahead of its device's clock was refused.
 *
 * @param what What happened instead of a confirmation.
 */
export function jumpMessage(timestampMs: number, maxJumpMs: number, what: string): string {
  return (
    `timestamp: found ${timestampMs}, more than ${maxJumpMs} ms ahead of the device clock; wanted another reading ` +
    `near it, but ${what}`
  )
}
