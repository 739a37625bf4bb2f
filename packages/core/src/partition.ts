import { encodeUtf8 } from './text.ts'

/**
 * Returns the partition of a device: Kafka's own default for a record with a key, so that the embedded log and a
 * topic filled by any Kafka producer agree.
 *
 * Source: apache/kafka `clients/…/utils/Utils.java` murmur2 and toPositive; `BuiltInPartitioner.partitionForKey`.
 *
 * @param deviceId 1–256 UTF-8 bytes.
 * @param partitionCount 1 or more.
 */
export function partitionOf(deviceId: string, partitionCount: number): number {
  return (murmur2(encodeUtf8(deviceId)) & 0x7fffffff) % partitionCount
}

/** MurmurHash2 of 32 bits with Kafka's seed, over the bytes; signed. Source: as {@link partitionOf}. */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const m = 0x5bd1e995
  const length = end - start
  let h = 0x9747b28c ^ length
  let i = start
  for (; i + 4 <= end; i += 4) {
    let k =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const rest = end - i
  if (rest >= 3) h ^= (bytes[i + 2] as number) << 16
  if (rest >= 2) h ^= (bytes[i + 1] as number) << 8
  if (rest >= 1) {
    h ^= bytes[i] as number
    h = Math.imul(h, m)
  }
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}
