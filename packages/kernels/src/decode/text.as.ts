/**
 * JSON strings: where they end, and whether their bytes are in order. 0 stands for "undecided".
 * Sources: RFC 8259 section 7; The Unicode Standard 16, table 3-7 (well-formed UTF-8).
 */
import {
  backslash,
  byteAt,
  isDigit,
  letterB,
  letterF,
  letterN,
  letterR,
  letterT,
  letterU,
  lowerCase,
  quote,
  slash,
} from './bytes.as'

/** Returns the address of the first quote, backslash, control character or byte above ASCII at or after `start`. */
// @ts-ignore: decorator
@inline
function findSpecial(start: usize): usize {
  let at = start
  let hits = specialIn(v128.load(at))
  while (hits == 0) {
    at += 16
    hits = specialIn(v128.load(at))
  }
  return at + ctz(hits)
}

// @ts-ignore: decorator
@inline
function specialIn(block: v128): u32 {
  // Signed: bytes above ASCII are negative, so that one comparison finds them and the control characters.
  const outside = i8x16.lt_s(block, i8x16.splat(0x20))
  const ending = v128.or(i8x16.eq(block, i8x16.splat(<i8>quote)), i8x16.eq(block, i8x16.splat(<i8>backslash)))
  return <u32>i8x16.bitmask(v128.or(outside, ending))
}

/** Returns the end of the UTF-8 sequence that starts at `start` with a byte above ASCII; 0 when it is not well-formed. */
function endOfSequence(start: usize): usize {
  const first = byteAt(start)
  const second = byteAt(start + 1)
  if (first < 0xc2 || first > 0xf4 || (second & 0xc0) != 0x80) return 0
  if (first < 0xe0) return start + 2
  if ((byteAt(start + 2) & 0xc0) != 0x80) return 0
  if (first < 0xf0) {
    // E0 must not be overlong, ED must not encode a surrogate.
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0
    return start + 3
  }
  if ((byteAt(start + 3) & 0xc0) != 0x80) return 0
  // F0 must not be overlong, F4 must not exceed U+10FFFF.
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0
  return start + 4
}

// @ts-ignore: decorator
@inline
function isHexDigit(byte: u32): bool {
  return isDigit(byte) || lowerCase(byte) - 0x61 < 6
}

/** Returns the end of the escape whose backslash is at `start`; 0 when JSON has no such escape. */
function endOfEscape(start: usize): usize {
  const letter = byteAt(start + 1)
  if (letter == letterU) {
    let digit = start + 2
    while (digit < start + 6 && isHexDigit(byteAt(digit))) digit++
    return digit == start + 6 ? digit : 0
  }
  const known =
    letter == quote ||
    letter == backslash ||
    letter == slash ||
    letter == letterB ||
    letter == letterF ||
    letter == letterN ||
    letter == letterR ||
    letter == letterT
  return known ? start + 2 : 0
}

/** `start` is after the opening quote. Returns the address after the closing quote; 0 when it is no JSON string. */
export function skipString(start: usize): usize {
  let at = findSpecial(start)
  let byte = byteAt(at)
  while (byte != quote) {
    const end = byte == backslash ? endOfEscape(at) : byte >= 0x80 ? endOfSequence(at) : 0
    if (end == 0) return 0
    at = findSpecial(end)
    byte = byteAt(at)
  }
  return at + 1
}

/** As `skipString`, but returns the address of the closing quote, and 0 also where there is an escape. */
export function endOfPlainString(start: usize): usize {
  let at = findSpecial(start)
  let byte = byteAt(at)
  while (byte != quote) {
    const end = byte >= 0x80 ? endOfSequence(at) : 0
    if (end == 0) return 0
    at = findSpecial(end)
    byte = byteAt(at)
  }
  return at
}
