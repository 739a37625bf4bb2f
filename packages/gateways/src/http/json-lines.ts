import { limits } from '@millwright/core'

/**
 * Makes JSON lines of a body that is a JSON array or one JSON object, without parsing it: each element stands for itself,
 * with the bytes it came with, so that 1e999, duplicate keys and long numbers are judged by the decoder like those of any
 * other line. Only white space changes.
 */

const newline = 10
const carriageReturn = 13
const space = 32
const quote = 34
const comma = 44
const backslash = 92
const openBracket = 91
const closeBracket = 93
const openBrace = 123
const closeBrace = 125

/**
 * Returns newline-separated records.
 *
 * A body that begins with `[` is an array: one line an element. If its brackets do not match or an element is empty, the
 * whole body is one line, which the decoder refuses. A body that begins with `{` and is one object, on however many
 * lines, is one line. Everything else is taken to be lines already, and answered as it is.
 */
export function jsonLines(body: Uint8Array): Uint8Array {
  const start = skipSpace(body, startsWithByteOrderMark(body) ? 3 : 0)
  const first = body[start]
  if (first === openBracket) return elements(body, start) ?? oneLine(body, start, body.length)
  if (first !== openBrace) return body
  const end = valueEnd(body, start)
  return end > 0 && skipSpace(body, end) === body.length ? oneLine(body, start, end) : body
}

function startsWithByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

/** White space of JSON: RFC 8259 section 2. */
function isSpace(byte: number | undefined): boolean {
  return byte === space || byte === newline || byte === carriageReturn || byte === 9
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start
  while (isSpace(bytes[at])) at++
  return at
}

/** Place after the object or array that begins at `start`; -1 when it does not end. */
function valueEnd(bytes: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) {
      at = stringEnd(bytes, at) - 1
    } else if (byte === openBrace || byte === openBracket) {
      depth++
    } else if (byte === closeBrace || byte === closeBracket) {
      depth--
      if (depth === 0) return at + 1
    }
  }
  return -1
}

/** Place after the string that begins at `start`, or the end of the bytes when it does not end. */
function stringEnd(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === backslash) at++
    else if (bytes[at] === quote) return at + 1
  }
  return bytes.length
}

/** The elements of the array at `start` as lines; `null` when the brackets do not say where they are. */
function elements(body: Uint8Array, start: number): Uint8Array | null {
  const lines = Buffer.allocUnsafeSlow(body.length)
  let length = 0
  let depth = 0
  let elementStart = start + 1
  /** Adds the element that ends at `end`; false when there is none. */
  const addElement = (end: number): boolean => {
    const from = skipSpace(body, elementStart)
    let to = end
    while (to > from && isSpace(body[to - 1])) to--
    if (from >= to) return false
    length = copyAsLine(body, from, to, lines, length)
    lines[length++] = newline
    return true
  }
  for (let at = start; at < body.length; at++) {
    const byte = body[at]
    if (byte === quote) {
      at = stringEnd(body, at) - 1
    } else if (byte === openBrace || byte === openBracket) {
      depth++
    } else if (byte === comma && depth === 1) {
      if (!addElement(at)) return null
      elementStart = at + 1
    } else if (byte === closeBrace || byte === closeBracket) {
      depth--
      if (depth > 0) continue
      if (byte !== closeBracket || skipSpace(body, at + 1) < body.length) return null
      const empty = elementStart === start + 1 && skipSpace(body, elementStart) === at
      return empty || addElement(at) ? lines.subarray(0, length) : null
    }
  }
  return null
}

function oneLine(body: Uint8Array, start: number, end: number): Uint8Array {
  // One byte more than a line may have is enough to be refused as too long.
  const cutEnd = Math.min(end, start + limits.lineBytesMax + 1)
  const line = Buffer.allocUnsafeSlow(cutEnd - start)
  copyAsLine(body, start, cutEnd, line, 0)
  return line
}

/**
 * Copies a value, with spaces for the newlines in it. A raw newline inside a string is not JSON, and must stay so: it
 * becomes a carriage return, which is not JSON there either.
 */
function copyAsLine(from: Uint8Array, start: number, end: number, to: Uint8Array, toStart: number): number {
  const line = to.subarray(toStart, toStart + end - start)
  line.set(from.subarray(start, end))
  if (line.indexOf(newline) < 0) return toStart + line.length
  for (let at = 0; at < line.length; at++) {
    if (line[at] === newline) line[at] = space
    else if (line[at] === quote) {
      const afterString = stringEnd(line, at)
      for (; at < afterString - 1; at++) if (line[at] === newline) line[at] = carriageReturn
    }
  }
  return toStart + line.length
}
