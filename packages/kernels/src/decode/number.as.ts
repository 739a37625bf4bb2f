/**
 * JSON numbers to float64, correctly rounded, or not at all: 0 stands for "undecided", and the plain path decides.
 *
 * Up to 15 characters (nearly all that sensors send) are converted by vector instructions and one division by an exact power of
 * ten. Up to 19 digits, with an exponent or not, take Clinger's exact case or Eisel–Lemire.
 *
 * Sources: W. D. Clinger, "How to read floating point numbers accurately", 1990; D. Lemire, "Number parsing at a
 * gigabyte per second", Software: Practice and Experience 51(8), 2021; grammar: RFC 8259 section 6.
 */
import { byteAt, digit0, dot, isDigit, lowerCase, minus, plus } from './bytes.as'
import { exactPowers, widePowerMax, widePowers } from './layout.as'

/** What the last successful `parseNumber` read. */
export let numberValue: f64 = 0

const letterE: u32 = 0x65

/** Digits whose value a uint64 always holds. */
const digitsMax: u32 = 19
/** Exponents beyond this are as good as infinite; stops the sum from overflowing. */
const exponentMax: i32 = 10000

/** Returns the end of the number that starts at `start` and sets `numberValue`; 0 when undecided. */
// @ts-ignore: decorator
@inline
export function parseNumber(start: usize): usize {
  const negative = byteAt(start) == minus
  const digits = start + <usize>negative
  const block = v128.load(digits)
  // Adding 0x50 takes '0'…'9' to the ten smallest signed bytes. Two bits beyond the block stand for "not in it".
  const others = <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(block, i8x16.splat(0x50)), i8x16.splat(-119))) | 0x30000
  const integerLength = ctz(others)
  let length = integerLength
  let fractionLength: u32 = 0
  let dotPosition: i32 = -128
  if (byteAt(digits + integerLength) == dot) {
    length = ctz(others & (others - 1))
    fractionLength = length - integerLength - 1
    if (fractionLength == 0) return 0
    dotPosition = integerLength
  }
  if (length >= 16 || lowerCase(byteAt(digits + length)) == letterE) return parseLongNumber(digits, negative)
  if (integerLength == 0 || (integerLength > 1 && byteAt(digits) == digit0)) return 0

  // Right-align the digits and drop the dot: what stood at or before it moves one place to the right.
  const source = i8x16.add(
    i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    i8x16.splat(<i8>(<i32>length - 16)),
  )
  const shifted = i8x16.add(source, i8x16.le_s(source, i8x16.splat(<i8>dotPosition)))
  const values = v128.and(i8x16.swizzle(block, shifted), i8x16.splat(15))
  // Pairs, fours, eights: 2561 = 10 × 256 + 1 leaves ten times the first digit plus the second in the upper byte.
  const pairs = i16x8.shr_u(i16x8.mul(values, i16x8.splat(2561)), 8)
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1))
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), i16x8(10000, 1, 10000, 1, 10000, 1, 10000, 1))
  const upper = <u64><u32>i32x4.extract_lane(eights, 0)
  const lower = <u64><u32>i32x4.extract_lane(eights, 1)
  // At most 15 digits: exact as float64, and one division of exact numbers is correctly rounded.
  let value = <f64><i64>(upper * 100000000 + lower)
  if (fractionLength != 0) value /= load<f64>(exactPowers + (<usize>fractionLength << 3))
  numberValue = negative ? -value : value
  return digits + length
}

/** Returns the end of the JSON number that starts at `start`, of whatever size; 0 when it is none. */
export function skipNumber(start: usize): usize {
  const digits = start + <usize>(byteAt(start) == minus)
  let at = skipDigits(digits)
  if (at == digits || (byteAt(digits) == digit0 && at != digits + 1)) return 0
  if (byteAt(at) == dot) {
    const fraction = at + 1
    at = skipDigits(fraction)
    if (at == fraction) return 0
  }
  if (lowerCase(byteAt(at)) == letterE) {
    const sign = byteAt(at + 1)
    const exponent = at + 1 + <usize>(sign == minus || sign == plus)
    at = skipDigits(exponent)
    if (at == exponent) return 0
  }
  return at
}

function skipDigits(start: usize): usize {
  let at = start
  while (isDigit(byteAt(at))) at++
  return at
}

/** As `parseNumber`, for any length and with an exponent; `start` is after the sign. */
function parseLongNumber(start: usize, negative: bool): usize {
  let at = start
  let mantissa: u64 = 0
  let digitCount: u32 = 0
  let exponent: i32 = 0

  if (byteAt(at) == digit0) {
    at++
  } else {
    while (isDigit(byteAt(at))) {
      mantissa = mantissa * 10 + <u64>(byteAt(at) - digit0)
      digitCount++
      at++
    }
    if (digitCount == 0) return 0
  }
  if (byteAt(at) == dot) {
    const fraction = ++at
    while (isDigit(byteAt(at))) {
      mantissa = mantissa * 10 + <u64>(byteAt(at) - digit0)
      // Zeros before the first other digit take no room in the mantissa.
      if (mantissa != 0) digitCount++
      at++
    }
    if (at == fraction) return 0
    exponent = <i32>fraction - <i32>at
  }
  if (digitCount > digitsMax) return 0
  if (lowerCase(byteAt(at)) == letterE) {
    at++
    const downwards = byteAt(at) == minus
    if (downwards || byteAt(at) == plus) at++
    const exponentDigits = at
    let written: i32 = 0
    while (isDigit(byteAt(at))) {
      if (written < exponentMax) written = written * 10 + <i32>(byteAt(at) - digit0)
      at++
    }
    if (at == exponentDigits) return 0
    exponent += downwards ? -written : written
  }

  if (mantissa == 0) {
    numberValue = 0
  } else if (mantissa <= 1 << 53 && exponent >= -22 && exponent <= 22) {
    const value = <f64><i64>mantissa
    numberValue =
      exponent < 0
        ? value / load<f64>(exactPowers + (<usize>-exponent << 3))
        : value * load<f64>(exactPowers + (<usize>exponent << 3))
  } else if (!roundByEiselLemire(mantissa, exponent)) {
    return 0
  }
  if (negative) numberValue = -numberValue
  return at
}

/** Low half of the last `multiplyHigh`. */
let productLow: u64 = 0

/** Returns the high half of the 128-bit product; `productLow` is its low half. */
function multiplyHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff
  const aHigh = a >> 32
  const bLow = b & 0xffffffff
  const bHigh = b >> 32
  const lowLow = aLow * bLow
  const lowHigh = aLow * bHigh
  const highLow = aHigh * bLow
  const middle = (lowLow >> 32) + (lowHigh & 0xffffffff) + (highLow & 0xffffffff)
  productLow = (middle << 32) | (lowLow & 0xffffffff)
  return aHigh * bHigh + (lowHigh >> 32) + (highLow >> 32) + (middle >> 32)
}

/**
 * Sets `numberValue` to `mantissa × 10^exponent`, rounded to nearest even; false when 128 bits cannot tell, or the result is
 * subnormal or infinite. `mantissa` is not 0.
 */
function roundByEiselLemire(mantissa: u64, exponent: i32): bool {
  if (exponent < -widePowerMax || exponent > widePowerMax) return false
  const power = widePowers + (<usize>(exponent + widePowerMax) << 4)
  const leadingZeros = clz(mantissa)
  const normal = mantissa << leadingZeros

  let high = multiplyHigh(normal, load<u64>(power, 8))
  let low = productLow
  // The nine bits below the 55 that are kept are all ones: the part of the power that was left out may carry into them.
  if ((high & 0x1ff) == 0x1ff && low + normal < normal) {
    const restHigh = multiplyHigh(normal, load<u64>(power))
    const restLow = productLow
    const sum = low + restHigh
    if (sum < low) high++
    low = sum
    if ((high & 0x1ff) == 0x1ff && low + 1 == 0 && restLow + normal < normal) return false
  }

  const topBit = high >> 63
  let kept = high >> (topBit + 9)
  // 217706 / 2^16 approximates log2(10) well enough for every exponent of a float64.
  let binaryExponent = <i64>(((217706 * exponent) >> 16) + 64 + 1023) - <i64>leadingZeros - <i64>(topBit ^ 1)
  // Exactly half way between two float64, as far as 128 bits can see: whether it is so depends on what was left out.
  if (low == 0 && (high & 0x1ff) == 0 && (kept & 3) == 1) return false
  kept = (kept + (kept & 1)) >> 1
  if (kept >> 53 != 0) {
    kept >>= 1
    binaryExponent++
  }
  if (binaryExponent < 1 || binaryExponent > 2046) return false
  numberValue = reinterpret<f64>((<u64>binaryExponent << 52) | (kept & 0x000fffffffffffff))
  return true
}
