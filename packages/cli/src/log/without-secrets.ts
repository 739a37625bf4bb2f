const secretName =
  /pass(?:word|wd|phrase)?$|secret|token|authorization|cookie|credential|(?:private|api|access)[_-]?key/i
const hidden = '[hidden]'
const depthMax = 6

/**
 * A text without what stands before the `@` of an address, and without what follows `password=` and its like. A password may hold `@` and `/`
 * as people write them: what is hidden goes up to the last `@` before a space, which is too much where a path has one.
 */
export function textWithoutSecrets(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)\S+@/gi, `$1${hidden}@`)
    .replace(/\b((?:password|passwd|secret|token|api[_-]?key)["']?\s*[=:]\s*["']?)[^\s"',;}]+/gi, `$1${hidden}`)
    .replace(/\b(authorization["']?\s*[=:]\s*["']?(?:basic|bearer)\s+)[^\s"',;}]+/gi, `$1${hidden}`)
}

/** A value of plain data without its secrets: fields that are called as secrets are, and those within texts. Deeper than six levels nothing is shown. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return textWithoutSecrets(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) return hidden
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretName.test(name) ? hidden : withoutSecrets(inner, depth + 1),
    ]),
  )
}
