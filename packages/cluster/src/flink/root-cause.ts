/** Longest cause that is told: a plan or a class path in a message helps nobody. */
const causeCharactersMax = 400

/**
 * Returns the deepest cause that a Java stack trace names, in one line without the package of its class; the first line where
 * it has no causes.
 *
 * Source: the layout of `java.lang.Throwable.printStackTrace`: `Caused by: CLASS: MESSAGE`, frames begin with a tab and `at`.
 */
export function rootCause(trace: string): string {
  const lines = trace.split(/\r?\n/).map((line) => line.trim())
  const causes = lines.filter((line) => line.startsWith('Caused by: ')).map((line) => line.slice('Caused by: '.length))
  const first = lines.find((line) => line !== '' && !line.startsWith('at ')) ?? ''
  const cause = shorten(causes.at(-1) ?? first)
  return cause.length > causeCharactersMax ? `${cause.slice(0, causeCharactersMax)}…` : cause
}

/** Drops the package of a class at the front, and a class that is wrapped around the same words. */
function shorten(text: string): string {
  return text.replace(/^(?:[a-z_][\w$]*\.)+([A-Z][\w$]*)/, '$1')
}
