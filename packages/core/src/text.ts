/**
 * UTF-8 and base64 without the platform's TextEncoder, TextDecoder and Buffer, which plain V8 lacks.
 * Source: The Unicode Standard 16, table 3-7 (well-formed UTF-8 byte sequences); RFC 4648 section 4 (base64).
 */

const charCodesPerCallMax = 4096

/**
 * Decodes UTF-8; returns `null` when the bytes are not well-formed (overlong forms, surrogates and values above
 * U+10FFFF included). An empty range gives the empty string.
 */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | null {
  let text = ''
  let codes: number[] = []
  let i = start
  while (i < end) {
    const a = bytes[i] as number
    if (a < 0x80) {
      codes.push(a)
      i += 1
    } else {
      const length = a >= 0xc2 && a <= 0xdf ? 2 : a >= 0xe0 && a <= 0xef ? 3 : a >= 0xf0 && a <= 0xf4 ? 4 : 0
      if (length === 0 || i + length > end) return null
      const b = bytes[i + 1] as number
      // The second byte's range excludes overlong forms (E0, F0), surrogates (ED) and what is above U+10FFFF (F4).
      const low = a === 0xe0 ? 0xa0 : a === 0xf0 ? 0x90 : 0x80
      const high = a === 0xed ? 0x9f : a === 0xf4 ? 0x8f : 0xbf
      if (b < low || b > high) return null
      let code = length === 2 ? ((a & 0x1f) << 6) | (b & 0x3f) : ((a & 0x0f) << 6) | (b & 0x3f)
      if (length === 4) code = ((a & 0x07) << 6) | (b & 0x3f)
      for (let k = 2; k < length; k++) {
        const c = bytes[i + k] as number
        if ((c & 0xc0) !== 0x80) return null
        code = (code << 6) | (c & 0x3f)
      }
      if (code > 0xffff) codes.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff))
      else codes.push(code)
      i += length
    }
    if (codes.length >= charCodesPerCallMax) {
      text += String.fromCharCode.apply(null, codes)
      codes = []
    }
  }
  return text + String.fromCharCode.apply(null, codes)
}

/** Encodes as UTF-8; a lone surrogate becomes U+FFFD, as TextEncoder does. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3)
  let n = 0
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    if (code >= 0xd800 && code <= 0xdfff) {
      const next = i + 1 < text.length ? text.charCodeAt(i + 1) : 0
      if (code < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00)
        i++
      } else {
        code = 0xfffd
      }
    }
    if (code < 0x80) bytes[n++] = code
    else if (code < 0x800) {
      bytes[n++] = 0xc0 | (code >> 6)
      bytes[n++] = 0x80 | (code & 0x3f)
    } else if (code < 0x10000) {
      bytes[n++] = 0xe0 | (code >> 12)
      bytes[n++] = 0x80 | ((code >> 6) & 0x3f)
      bytes[n++] = 0x80 | (code & 0x3f)
    } else {
      bytes[n++] = 0xf0 | (code >> 18)
      bytes[n++] = 0x80 | ((code >> 12) & 0x3f)
      bytes[n++] = 0x80 | ((code >> 6) & 0x3f)
      bytes[n++] = 0x80 | (code & 0x3f)
    }
  }
  return bytes.slice(0, n)
}

/** Length of `encodeUtf8(text)` in bytes. */
export function utf8ByteLength(text: string): number {
  let n = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) n += 1
    else if (code < 0x800) n += 2
    else if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      n += 4
      i++
    } else n += 3
  }
  return n
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Encodes as base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const digit = (bits: number): string => base64Alphabet.charAt(bits & 63)
  let text = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const bits = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number)
    text += digit(bits >> 18) + digit(bits >> 12) + digit(bits >> 6) + digit(bits)
  }
  const rest = bytes.length - i
  if (rest === 1) {
    const bits = (bytes[i] as number) << 4
    text += `${digit(bits >> 6)}${digit(bits)}==`
  } else if (rest === 2) {
    const bits = ((bytes[i] as number) << 10) | ((bytes[i + 1] as number) << 2)
    text += `${digit(bits >> 12)}${digit(bits >> 6)}${digit(bits)}=`
  }
  return text
}

/** Decodes base64 with padding and without white space; returns `null` when it is not that. */
export function decodeBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0) return null
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let n = 0
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const padded = i >= text.length - padding
    const value = padded ? 0 : base64Values[text.charCodeAt(i)]
    if (value === undefined || value < 0) return null
    bits = (bits << 6) | value
    if (i % 4 === 3) {
      if (n < bytes.length) bytes[n++] = (bits >> 16) & 255
      if (n < bytes.length) bytes[n++] = (bits >> 8) & 255
      if (n < bytes.length) bytes[n++] = bits & 255
      bits = 0
    }
  }
  return bytes
}

const base64Values = (() => {
  const values = new Int8Array(128).fill(-1)
  for (let i = 0; i < 64; i++) values[base64Alphabet.charCodeAt(i)] = i
  return values
})()
