const textMax = 300

/**
 * Makes what says why something failed fit for a page: one line, not long, and with none of these secrets in it, whoever put it there
 * (a peer may answer with what it was sent).
 */
export function plainText(error: unknown, secrets: readonly string[]): string {
  let text = error instanceof Error ? error.message || error.name : String(error)
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, '…')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return line.length > textMax ? `${line.slice(0, textMax - 1)}…` : line
}
