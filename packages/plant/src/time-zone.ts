/**
 * Whether a text has the form of an IANA time zone name. The zone database itself is the host's: a name of the right
 * form that it does not know is refused where the file is opened.
 */
export function isTimeZone(text: string): boolean {
  return /^(?:UTC|[A-Za-z][A-Za-z0-9_+-]{0,31}(?:\/[A-Za-z0-9_+-]{1,31}){1,2})$/.test(text)
}
