/**
 * Returns whether an id is of a pattern: the pattern itself, where `*` stands for any characters, also for none.
 *
 * Each part between two stars is taken where it first fits, so a long id costs its length and not a power of it.
 */
export function idPattern(pattern: string): (id: string) => boolean {
  const parts = pattern.split('*')
  const [first = ''] = parts
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return (id) => id === pattern
  return (id) => {
    const end = id.length - last.length
    if (first.length > end || !id.startsWith(first) || !id.endsWith(last)) return false
    let at = first.length
    for (const part of parts.slice(1, -1)) {
      const found = id.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}
