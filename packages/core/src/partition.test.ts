import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { murmur2, partitionOf } from './partition.ts'
import { encodeUtf8 } from './text.ts'

describe('murmur2()', () => {
  // Source of the vectors: apache/kafka clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('gives Kafka’s hash of %j', (text, hash) => {
    expect(murmur2(encodeUtf8(text))).toBe(hash)
  })
  test('hashes a range as it would the bytes by themselves', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.nat(5), (bytes, before) => {
        const padded = new Uint8Array(before + bytes.length + 3)
        padded.set(bytes, before)
        expect(murmur2(padded, before, before + bytes.length)).toBe(murmur2(bytes))
      }),
    )
  })
})

describe('partitionOf()', () => {
  test('is within the count, and spreads devices over all partitions', () => {
    const seen = new Set<number>()
    for (let i = 0; i < 100; i++) seen.add(partitionOf(`device-${i}`, 5))
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4])
  })
})
