/**
 * Chance as a function: a random word is `randomWord(key, counter)` and nothing is remembered. So any reading can be
 * made again at any time, which is what keeps redelivery, late batches and chunked pulls exact without a buffer.
 *
 * Source of the mixing step: MurmurHash3's 32-bit finaliser (Austin Appleby, public domain), which passes avalanche
 * tests; two of them with the key between make one word.
 */

/** Mixes all bits of a 32-bit integer; a bijection. */
export function mix32(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** Returns a random 32-bit word (signed), the same for the same key and counter (both taken modulo 2^32). */
export function randomWord(key: number, counter: number): number {
  return mix32(mix32((Math.imul(counter, 0x9e3779b1) + key) | 0) ^ Math.imul(key, 0x85ebca77))
}

/** Maps a word to [0, 1) in steps of 2^-32. */
export function unitOf(word: number): number {
  return (word >>> 0) / 4294967296
}

/** Returns a number in [min, max), uniform, the same for the same key and counter. */
export function uniform(key: number, counter: number, min: number, max: number): number {
  return min + (max - min) * unitOf(randomWord(key, counter))
}

/** Sum of the four bytes' mean and standard deviation: 4 · 127.5 and sqrt(4 · (256² - 1) / 12). */
const byteSumMean = 510
const byteSumDeviation = Math.sqrt((4 * (256 * 256 - 1)) / 12)

/**
 * Maps a word to a bell-shaped number of mean 0 and variance 1, within ±3.46: the sum of its four bytes (Irwin–Hall
 * of order 4, kurtosis 2.7). It needs no logarithm, and healthy machines want no outliers.
 */
export function bellOf(word: number): number {
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24)
  return (sum - byteSumMean) / byteSumDeviation
}
