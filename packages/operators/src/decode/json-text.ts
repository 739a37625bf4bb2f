/**
 * Whether lists and objects are open in each other more than `depthMax` deep. Of text that is not JSON it is still a plain answer:
 * what stands between quotes does not count.
 */
export function nestsDeeper(text: string, depthMax: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (inString) {
      if (character === '\\') i += 1
      else if (character === '"') inString = false
    } else if (character === '"') {
      inString = true
    } else if (character === '{' || character === '[') {
      depth += 1
      if (depth > depthMax) return true
    } else if (character === '}' || character === ']') {
      depth -= 1
    }
  }
  return false
}

const space = /[ \t\r\n]*/y
const plain = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const stringPart = /[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

/**
 * Returns the index of the first character that keeps a text from being JSON (its length where more would be needed), or `null` when it is
 * JSON. `JSON.parse` knows too, but says it in words that change from one engine to the next.
 *
 * Source: RFC 8259. Recursive: the caller has bounded the nesting with {@link nestsDeeper}.
 */
export function jsonErrorIndex(text: string): number | null {
  let at = 0

  /** Moves past what the sticky expression matches here; false when it matches nothing. */
  const take = (expression: RegExp): boolean => {
    expression.lastIndex = at
    if (!expression.test(text)) return false
    at = expression.lastIndex
    return true
  }
  const takeCharacter = (character: string): boolean => {
    if (text[at] !== character) return false
    at += 1
    return true
  }
  const takeString = (): boolean => {
    if (!takeCharacter('"')) return false
    while (take(stringPart));
    return takeCharacter('"')
  }
  const takeMember = (): boolean => {
    if (!takeString()) return false
    take(space)
    return takeCharacter(':') && takeValue()
  }
  const takeItems = (takeItem: () => boolean, close: string): boolean => {
    at += 1
    take(space)
    if (takeCharacter(close)) return true
    do {
      take(space)
      if (!takeItem()) return false
    } while (takeCharacter(','))
    return takeCharacter(close)
  }
  /** A value with the white space around it. */
  const takeValue = (): boolean => {
    take(space)
    const first = text[at]
    const taken =
      first === '{'
        ? takeItems(takeMember, '}')
        : first === '['
          ? takeItems(takeValue, ']')
          : first === '"'
            ? takeString()
            : take(plain)
    if (taken) take(space)
    return taken
  }
  return takeValue() && at === text.length ? null : at
}
