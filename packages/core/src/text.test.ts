import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, utf8ByteLength } from './text.ts'

/** The platform's own codecs are the oracle: they run here, though not in every place that the code under test runs. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function oracle(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes)
  } catch {
    return null
  }
}

describe('decodeUtf8()', () => {
  test('agrees with a strict TextDecoder on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => decodeUtf8(bytes) === oracle(bytes)),
      {
        numRuns: 5000,
      },
    )
  })
  test('agrees on bytes near the borders of well-formedness', () => {
    const edge = fc.constantFrom(
      0x00,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
      0xff,
    )
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 6 }), (list) => {
        const bytes = Uint8Array.from(list)
        return decodeUtf8(bytes) === oracle(bytes)
      }),
      { numRuns: 20_000 },
    )
  })
  test('decodes a range, across the size of one call', () => {
    const text = 'aé€😀'.repeat(5000)
    const bytes = encodeUtf8(`xx${text}yy`)
    expect(decodeUtf8(bytes, 2, bytes.length - 2)).toBe(text)
  })
})

describe('encodeUtf8()', () => {
  test('agrees with TextEncoder on any UTF-16, lone surrogates included', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }), (codes) => {
        const text = String.fromCharCode(...codes)
        const bytes = encodeUtf8(text)
        expect(bytes).toEqual(new TextEncoder().encode(text))
        expect(utf8ByteLength(text)).toBe(bytes.length)
      }),
      { numRuns: 5000 },
    )
  })
})

describe('base64', () => {
  test('agrees with Buffer and reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const text = encodeBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(decodeBase64(text)).toEqual(bytes)
      }),
    )
  })
  test.each(['a', 'ab=', '====', 'ab\n=', 'a=bc', 'é===', 'abc=d==='])('decodeBase64() refuses %j', (text) => {
    expect(decodeBase64(text)).toBeNull()
  })
})
