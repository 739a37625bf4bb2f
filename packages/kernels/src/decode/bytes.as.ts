/** The bytes of JSON's grammar by name, and reading them. */

export const newline: u32 = 0x0a
export const carriageReturn: u32 = 0x0d
export const quote: u32 = 0x22
export const plus: u32 = 0x2b
export const comma: u32 = 0x2c
export const minus: u32 = 0x2d
export const dot: u32 = 0x2e
export const slash: u32 = 0x2f
export const digit0: u32 = 0x30
export const colon: u32 = 0x3a
export const openBracket: u32 = 0x5b
export const backslash: u32 = 0x5c
export const closeBracket: u32 = 0x5d
export const letterB: u32 = 0x62
export const letterF: u32 = 0x66
export const letterN: u32 = 0x6e
export const letterR: u32 = 0x72
export const letterT: u32 = 0x74
export const letterU: u32 = 0x75
export const openBrace: u32 = 0x7b
export const closeBrace: u32 = 0x7d
export const del: u32 = 0x7f

/** `null`, `true` and the first four letters of `false`, as one little-endian word. */
export const wordNull: u32 = 0x6c6c756e
export const wordTrue: u32 = 0x65757274
export const wordFals: u32 = 0x736c6166

// @ts-ignore: decorator
@inline
export function byteAt(address: usize): u32 {
  return <u32>load<u8>(address)
}

// @ts-ignore: decorator
@inline
export function isDigit(byte: u32): bool {
  return byte - digit0 < 10
}

/** Makes a letter lower case; other bytes that matter here stay what they are or turn into none that matters. */
// @ts-ignore: decorator
@inline
export function lowerCase(byte: u32): u32 {
  return byte | 0x20
}

/** Skips JSON's white space but for the newline, which ends the line. */
// @ts-ignore: decorator
@inline
export function skipSpace(address: usize): usize {
  let at = address
  let byte = byteAt(at)
  while (byte == 0x20 || byte == 0x09 || byte == carriageReturn) {
    at++
    byte = byteAt(at)
  }
  return at
}

/** Returns the address of the next newline; the caller knows that there is one. */
export function findNewline(start: usize): usize {
  let at = start
  let newlines = newlinesAt(at)
  while (newlines == 0) {
    at += 16
    newlines = newlinesAt(at)
  }
  return at + ctz(newlines)
}

// @ts-ignore: decorator
@inline
function newlinesAt(block: usize): u32 {
  return <u32>i8x16.bitmask(i8x16.eq(v128.load(block), i8x16.splat(<i8>newline)))
}
