/** Values of fields nobody asked for: checked as JSON and passed over. 0 stands for "undecided". */
import {
  byteAt,
  closeBrace,
  closeBracket,
  colon,
  comma,
  isDigit,
  minus,
  openBrace,
  openBracket,
  quote,
  skipSpace,
  wordFals,
  wordNull,
  wordTrue,
} from './bytes.as'
import { skipNumber } from './number.as'
import { skipString } from './text.as'

/** Lists and objects that may be open at once: one bit each says which it is. */
const openBits: u32 = 64

let nestingMax: u32 = 0

/** Values nested deeper than this (or than the kernel can follow) are left undecided. */
export function setNestingMax(nesting: u32): void {
  nestingMax = min(nesting, openBits)
}

/** Returns the end of the JSON value that starts at `start`; 0 when undecided. */
export function skipValue(start: usize): usize {
  const first = byteAt(start)
  return first == openBrace || first == openBracket ? skipNested(start) : skipPlainValue(start)
}

/** As `skipValue`, for what is neither list nor object. */
function skipPlainValue(start: usize): usize {
  const first = byteAt(start)
  if (first == quote) return skipString(start + 1)
  if (first == minus || isDigit(first)) return skipNumber(start)
  const word = load<u32>(start)
  if (word == wordNull || word == wordTrue) return start + 4
  return word == wordFals && byteAt(start + 4) == 0x65 ? start + 5 : 0
}

/** As `skipValue`, for a list or an object; without recursion, so that no input overflows a stack. */
function skipNested(start: usize): usize {
  let at = start
  let depth: u32 = 0
  /** The innermost open one is bit 0: 1 for an object. */
  let open: u64 = 0
  let wantsValue = true
  while (wantsValue || depth > 0) {
    if (wantsValue) {
      const first = byteAt(at)
      if (first == openBrace || first == openBracket) {
        if (depth >= nestingMax) return 0
        depth++
        open = (open << 1) | <u64>(first == openBrace)
        at = skipSpace(at + 1)
        if (byteAt(at) == (first == openBrace ? closeBrace : closeBracket)) {
          wantsValue = false
        } else if (first == openBrace) {
          at = skipKey(at)
          if (at == 0) return 0
        }
      } else {
        at = skipPlainValue(at)
        if (at == 0) return 0
        at = skipSpace(at)
        wantsValue = false
      }
    } else {
      const inObject = (open & 1) != 0
      const byte = byteAt(at)
      if (byte == comma) {
        at = skipSpace(at + 1)
        if (inObject) {
          at = skipKey(at)
          if (at == 0) return 0
        }
        wantsValue = true
      } else if (byte == (inObject ? closeBrace : closeBracket)) {
        depth--
        open >>= 1
        at++
        // White space after the outermost bracket belongs to who asked.
        if (depth > 0) at = skipSpace(at)
      } else {
        return 0
      }
    }
  }
  return at
}

/** Returns the start of the value whose key is at `start`; 0 when there is no key and colon. */
function skipKey(start: usize): usize {
  if (byteAt(start) != quote) return 0
  const end = skipString(start + 1)
  if (end == 0) return 0
  const at = skipSpace(end)
  return byteAt(at) == colon ? skipSpace(at + 1) : 0
}
