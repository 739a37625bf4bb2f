/**
 * 64-bit hashes of readings: timestamp, then channels, each as its two 32-bit words.
 *
 * For an equal rest each step is a bijection of the state in the word it takes, so readings that differ in one value only
 * never collide. A missing value hashes as one fixed pattern, whatever bits its NaN has: two decoders may differ in them.
 * Source: the mixing step of MurmurHash3_x86_128 (Austin Appleby, public domain), with two lanes of 32 bits.
 */

/**
 * Writes the hashes of the rows from `first` to `end` (not with) to `out`, low word first; up to three more are written behind
 * them, from what stands behind the rows. Four rows at a time.
 *
 * @param columns The first column; the others follow, `columnBytes` apart.
 */
export function hashColumns(columns: usize, columnBytes: usize, columnCount: u32, first: u32, end: u32, out: usize): void {
  // By fours, the last four filled up with the first column: what is hashed twice does no harm.
  const mixes = (columnCount + 3) & ~3
  let at = out
  for (let row = first; row < end; row += 4) {
    let low = i32x4.splat(0x2c1b3c6d)
    let high = i32x4.splat(0x297a2d39)
    for (let k: u32 = 0; k < mixes; k++) {
      const values = columns + (k < columnCount ? <usize>k * columnBytes : 0) + (<usize>row << 3)
      const pair = v128.load(values)
      const otherPair = v128.load(values, 16)
      const highWords = v128.shuffle<i32>(pair, otherPair, 1, 3, 5, 7)
      // Values are finite or NaN, so an exponent of all ones is a NaN.
      const missing = i32x4.eq(v128.and(highWords, i32x4.splat(0x7ff00000)), i32x4.splat(0x7ff00000))
      const lowWords = v128.andnot(v128.shuffle<i32>(pair, otherPair, 0, 2, 4, 6), missing)
      low = mix(low, high, lowWords, 0x239b961b, 19)
      high = mix(high, low, v128.bitselect(i32x4.splat(0x7ff80000), highWords, missing), 0x38b34ae5, 15)
    }
    v128.store(at, v128.shuffle<i32>(low, high, 0, 4, 1, 5))
    v128.store(at, v128.shuffle<i32>(low, high, 2, 6, 3, 7), 16)
    at += 32
  }
}

/** One lane takes one word, and the other lane. */
// @ts-ignore: decorator
@inline
function mix(lane: v128, other: v128, word: v128, multiplier: i32, rotation: i32): v128 {
  const mixed = v128.xor(lane, i32x4.mul(word, i32x4.splat(multiplier)))
  const rotated = v128.or(i32x4.shl(mixed, rotation), i32x4.shr_u(mixed, 32 - rotation))
  // Times five: a shift and a sum, since a vector product takes five times as long.
  return i32x4.add(i32x4.add(rotated, i32x4.shl(rotated, 2)), other)
}
