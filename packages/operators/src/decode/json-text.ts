/** Character codes of JSON's grammar. */
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * Whether lists and objects are open in each other more than `depthMax` deep. Of text that is not JSON it is still a plain answer:
 * what stands between quotes does not count.
 */
export function nestsDeeper(text: string, depthMax: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === backslash) i += 1
      else if (code === quote) inString = false
    } else if (code === quote) {
      inString = true
    } else if (code === openBrace || code === openBracket) {
      depth += 1
      if (depth > depthMax) return true
    } else if (code === closeBrace || code === closeBracket) {
      depth -= 1
    }
  }
  return false
}

/**
 * Returns the index of the first character that keeps a text from being JSON (its length where more would be needed), or `null` when it is
 * JSON. `JSON.parse` knows too, but says it by an exception, which is slow, in words that change from one engine to the next.
 *
 * Source: RFC 8259. Recursive: the caller has bounded the nesting with {@link nestsDeeper}.
 */
export function jsonErrorIndex(text: string): number | null {
  const reader = new JsonReader(text)
  return reader.takeValue() && reader.at === text.length ? null : reader.at
}

const numberOrWord = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escapeSequence = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

/** Moves over a text as far as it is JSON; each method returns false where it is not, and stays there. */
class JsonReader {
  at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** A value with the white space around it. */
  takeValue(): boolean {
    this.takeSpace()
    const first = this.text.charCodeAt(this.at)
    const taken =
      first === quote
        ? this.takeString()
        : first === openBrace
          ? this.takeItems(closeBrace, true)
          : first === openBracket
            ? this.takeItems(closeBracket, false)
            : this.take(numberOrWord)
    if (taken) this.takeSpace()
    return taken
  }

  /** A list, or an object, whose items have a key; the bracket that opens it is known to be there. */
  private takeItems(close: number, withKeys: boolean): boolean {
    this.at += 1
    this.takeSpace()
    if (this.takeCode(close)) return true
    do {
      this.takeSpace()
      if (withKeys && !this.takeKey()) return false
      if (!this.takeValue()) return false
    } while (this.takeCode(comma))
    return this.takeCode(close)
  }

  private takeKey(): boolean {
    if (!this.takeString()) return false
    this.takeSpace()
    return this.takeCode(colon)
  }

  private takeString(): boolean {
    if (!this.takeCode(quote)) return false
    while (!this.takeCode(quote)) {
      const code = this.text.charCodeAt(this.at)
      if (code === backslash) {
        if (!this.take(escapeSequence)) return false
      } else if (code >= 0x20) {
        this.at += 1
      } else {
        // A control character, or NaN at the end of the text.
        return false
      }
    }
    return true
  }

  private takeSpace(): void {
    let code = this.text.charCodeAt(this.at)
    while (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) {
      this.at += 1
      code = this.text.charCodeAt(this.at)
    }
  }

  private takeCode(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false
    this.at += 1
    return true
  }

  private take(expression: RegExp): boolean {
    expression.lastIndex = this.at
    if (!expression.test(this.text)) return false
    this.at = expression.lastIndex
    return true
  }
}
