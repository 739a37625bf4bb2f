/** The two halves of a double, and exact scaling: what the functions of this folder are built on. IEEE 754-2019, 3.4. */

const double = new Float64Array(1)
const words = new Int32Array(double.buffer)
/** 1 where the high word stands second, as on every machine V8 is common on. */
const high = (() => {
  double[0] = 1
  return words[1] === 0 ? 0 : 1
})()
const low = 1 - high

/** Returns sign, exponent and the upper 20 bits of the significand. */
export function highWord(x: number): number {
  double[0] = x
  return words[high] as number
}

/** Returns the lower 32 bits of the significand, as a signed integer. */
export function lowWord(x: number): number {
  double[0] = x
  return words[low] as number
}

export function fromWords(highBits: number, lowBits: number): number {
  words[high] = highBits
  words[low] = lowBits
  return double[0] as number
}

/** Returns `x` with the lower 32 bits of its significand cleared, so that products of two such values are exact. */
export function withoutLowWord(x: number): number {
  double[0] = x
  words[low] = 0
  return double[0] as number
}

/** Returns 2^exponent exactly. `exponent` is an integer within −1022..1023. */
export function powerOfTwo(exponent: number): number {
  return fromWords((1023 + exponent) << 20, 0)
}

/** Returns `x · 2^exponent`, rounded once, also where the result is subnormal. `exponent` is an integer within ±2200. */
export function scale(x: number, exponent: number): number {
  let y = x
  let k = exponent
  while (k > 1023) {
    y *= powerOfTwo(1023)
    k -= 1023
  }
  // By 2^-969 a normal number near 1 stays normal, hence exact: only the last product rounds into the subnormal range.
  while (k < -1022) {
    y *= powerOfTwo(-969)
    k += 969
  }
  return y * powerOfTwo(k)
}
