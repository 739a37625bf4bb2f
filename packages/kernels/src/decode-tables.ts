/**
 * The tables that the decode kernel reads, calculated exactly with big integers rather than stored.
 */

/** 10^0 … 10^22: all powers of ten that a float64 holds exactly. */
export function exactPowersOfTen(): Float64Array {
  return Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))
}

/**
 * The first 128 bits of 10^-exponentMax … 10^exponentMax, rounded down, low half first.
 * Source: D. Lemire, "Number parsing at a gigabyte per second", 2021, section 5 (with negative powers rounded down too, as the test
 * for ambiguous results needs it).
 */
export function widePowersOfTen(exponentMax: number): BigUint64Array {
  const words = new BigUint64Array((2 * exponentMax + 1) * 2)
  for (let exponent = -exponentMax; exponent <= exponentMax; exponent++) {
    const bits = leadingBits(exponent)
    const at = (exponent + exponentMax) * 2
    words[at] = bits & 0xffff_ffff_ffff_ffffn
    words[at + 1] = bits >> 64n
  }
  return words
}

function leadingBits(exponent: number): bigint {
  let power = 1n
  for (let i = Math.abs(exponent); i > 0; i--) power *= 10n
  // A reciprocal gets so many bits before the division that at least 128 are left.
  if (exponent < 0) power = (1n << BigInt(bitLength(power) + 128)) / power
  const surplus = bitLength(power) - 128
  return surplus > 0 ? power >> BigInt(surplus) : power << BigInt(-surplus)
}

function bitLength(value: bigint): number {
  return value.toString(2).length
}
