/** The id of a device as a line writes it: where it is, and whether it is in order. 0 stands for "undecided". */
import { backslash, byteAt, del, letterU, lowerCase, quote } from './bytes.as'
import { idScratch, prefixMask } from './layout.as'
import { endOfPlainString, skipString } from './text.as'

/** The id read last: its bytes, which are in the line or, where it has escapes, in `idScratch`. */
export let idStart: usize = 0
export let idLength: u32 = 0
/** An id of at most 15 bytes in two words, padded with zeros; `idLow` is 0 where the id was not read in one block. */
export let idLow: u64 = 0
export let idHigh: u64 = 0

let idBytesMax: u32 = 0

export function setDeviceIdBytesMax(bytesMax: u32): void {
  idBytesMax = bytesMax
}

/**
 * Reads the id that starts at `start`, after its opening quote. Returns the address of the closing quote; 0 when undecided: it is no JSON
 * string, empty, too long, or holds a control character or half of a surrogate pair.
 */
// @ts-ignore: decorator
@inline
export function readDeviceId(start: usize): usize {
  const block = v128.load(start)
  const quotes = <u32>i8x16.bitmask(i8x16.eq(block, i8x16.splat(<i8>quote)))
  if (quotes != 0) {
    const length = ctz(quotes)
    // Signed: bytes above ASCII are below the space too. With them, DEL and escapes the careful way is taken.
    const special = v128.or(
      v128.or(i8x16.eq(block, i8x16.splat(<i8>backslash)), i8x16.eq(block, i8x16.splat(<i8>del))),
      i8x16.lt_s(block, i8x16.splat(0x20)),
    )
    if (length != 0 && (<u32>i8x16.bitmask(special) & ((1 << length) - 1)) == 0) {
      const id = v128.and(block, v128.load(prefixMask + 16 - length))
      idLow = i64x2.extract_lane(id, 0)
      idHigh = i64x2.extract_lane(id, 1)
      return start + length
    }
  }
  return readDeviceIdCarefully(start)
}

function readDeviceIdCarefully(start: usize): usize {
  idLow = 0
  idStart = start
  let end = endOfPlainString(start)
  if (end != 0) {
    idLength = <u32>(end - start)
  } else {
    const afterQuote = skipString(start)
    if (afterQuote == 0) return 0
    end = afterQuote - 1
    idLength = unescape(start, end)
    idStart = idScratch
  }
  const inOrder = idLength != 0 && idLength <= idBytesMax && !hasControlCharacter(idStart, idStart + idLength)
  return inOrder ? end : 0
}

/** Whether UTF-8 text has a control character that JSON lets through as it is: DEL, C1, or (from an escape) C0. */
function hasControlCharacter(start: usize, end: usize): bool {
  let at = start
  while (at < end) {
    const block = v128.load(at)
    // C2 80 … C2 9F are the C1 characters.
    const suspects = v128.or(
      v128.or(i8x16.eq(block, i8x16.splat(<i8>del)), i8x16.eq(block, i8x16.splat(<i8>0xc2))),
      i8x16.lt_u(block, i8x16.splat(0x20)),
    )
    let bits = <u32>i8x16.bitmask(suspects)
    if (end - at < 16) bits &= (1 << <u32>(end - at)) - 1
    while (bits != 0) {
      const suspect = at + ctz(bits)
      if (byteAt(suspect) != 0xc2 || byteAt(suspect + 1) < 0xa0) return true
      bits &= bits - 1
    }
    at += 16
  }
  return false
}

/**
 * Writes the JSON string `[start, end)`, whose escapes are known to be in order, to `idScratch` as UTF-8 without them. Returns its length; 0
 * when it is longer than `idBytesMax` or holds half of a surrogate pair.
 */
function unescape(start: usize, end: usize): u32 {
  let at = start
  let length: u32 = 0
  while (at < end) {
    // Four bytes more than are allowed fit the scratch.
    if (length > idBytesMax) return 0
    const byte = byteAt(at)
    if (byte != backslash) {
      store<u8>(idScratch + length, <u8>byte)
      length++
      at++
    } else if (byteAt(at + 1) != letterU) {
      store<u8>(idScratch + length, <u8>escapedCharacter(byteAt(at + 1)))
      length++
      at += 2
    } else {
      let code = fourHexDigits(at + 2)
      at += 6
      if (code >= 0xd800 && code < 0xe000) {
        const paired = code < 0xdc00 && byteAt(at) == backslash && byteAt(at + 1) == letterU
        const low = paired ? fourHexDigits(at + 2) : 0
        if (low < 0xdc00 || low >= 0xe000) return 0
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        at += 6
      }
      length += storeUtf8(idScratch + length, code)
    }
  }
  return length
}

/** What a backslash and this letter stand for; b, f, n, r and t are control characters, which no id may hold: 0 for all of them. */
function escapedCharacter(letter: u32): u32 {
  return letter >= 0x61 ? 0 : letter
}

function fourHexDigits(at: usize): u32 {
  let value: u32 = 0
  for (let i: usize = 0; i < 4; i++) {
    const digit = lowerCase(byteAt(at + i))
    value = (value << 4) | (digit >= 0x61 ? digit - 0x61 + 10 : digit - 0x30)
  }
  return value
}

/** Writes a code point that is no surrogate as UTF-8; returns how many bytes that takes. */
function storeUtf8(at: usize, code: u32): u32 {
  if (code < 0x80) {
    store<u8>(at, <u8>code)
    return 1
  }
  const length: u32 = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  let rest = code
  for (let i = length - 1; i > 0; i--) {
    store<u8>(at + i, <u8>(0x80 | (rest & 0x3f)))
    rest >>= 6
  }
  // 110xxxxx, 1110xxxx or 11110xxx.
  store<u8>(at, <u8>((0xf00 >> length) | rest))
  return length
}
