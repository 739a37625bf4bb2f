import { highWord, powerOfTwo, scale, withoutLowWord } from './words.ts'

/** ln 2 in two parts: the first has 21 trailing zero bits, so that k·ln2High is exact for |k| < 2^11. */
const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10
const inverseLn2 = Math.LOG2E

/** Above, the result is greater than the greatest double; below the second, it rounds to zero. */
const overflowAbove = 709.782712893384
const underflowBelow = -745.1332191019411

/**
 * Returns e^x; NaN for NaN. Within 1 ulp.
 *
 * Source: fdlibm 5.3 e_exp.c (Sun Microsystems): x = k·ln 2 + r with |r| <= ln 2 / 2, e^r from a rational function whose
 * polynomial is a Remez approximation of r·(e^r + 1)/(e^r − 1).
 */
export function exp(x: number): number {
  if (!(x <= overflowAbove)) return x > overflowAbove ? Number.POSITIVE_INFINITY : x
  if (x < underflowBelow) return 0
  const k = Math.abs(x) > 0.5 * ln2High ? Math.floor(x * inverseLn2 + 0.5) : 0
  const highPart = x - k * ln2High
  const lowPart = k * ln2Low
  return expOfReduced(highPart, lowPart, k)
}

/** Returns 2^k · e^(highPart − lowPart). */
function expOfReduced(highPart: number, lowPart: number, k: number): number {
  const r = highPart - lowPart
  const t = r * r
  const c =
    r -
    t *
      (0.16666666666666602 +
        t *
          (-0.0027777777777015593 +
            t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))))
  if (k === 0) return 1 - ((r * c) / (c - 2) - r)
  return scale(1 - (lowPart - (r * c) / (2 - c) - highPart), k)
}

/**
 * Returns e^x − 1 without the cancellation of `exp(x) - 1` near zero; NaN for NaN, −0 for −0. Within 1 ulp.
 *
 * Source: fdlibm 5.3 s_expm1.c.
 */
export function expm1(x: number): number {
  if (Number.isNaN(x) || x === 0) return x
  if (x > overflowAbove) return Number.POSITIVE_INFINITY
  // Beyond 56·ln 2 below zero e^x is less than half an ulp of 1.
  if (x < -38.816242) return -1
  if (Math.abs(x) < powerOfTwo(-54)) return x
  let k = 0
  let r = x
  let correction = 0
  if (Math.abs(x) > 0.5 * ln2High) {
    k = Math.abs(x) < 1.5 * ln2High ? (x < 0 ? -1 : 1) : Math.trunc(inverseLn2 * x + (x < 0 ? -0.5 : 0.5))
    const highPart = x - k * ln2High
    const lowPart = k * ln2Low
    r = highPart - lowPart
    correction = highPart - r - lowPart
  }
  return expm1OfReduced(r, correction, k)
}

/** Returns 2^k · e^(r + correction) − 1. */
function expm1OfReduced(r: number, correction: number, k: number): number {
  const half = 0.5 * r
  const halfSquare = r * half
  const r1 =
    1 +
    halfSquare *
      (-0.03333333333333313 +
        halfSquare *
          (0.0015873015872548146 +
            halfSquare *
              (-7.93650757867488e-5 + halfSquare * (4.008217827329362e-6 + halfSquare * -2.0109921818362437e-7))))
  const t = 3 - r1 * half
  let e = halfSquare * ((r1 - t) / (6 - r * t))
  if (k === 0) return r - (r * e - halfSquare)
  e = r * (e - correction) - correction - halfSquare
  if (k === -1) return 0.5 * (r - e) - 0.5
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e)
  if (k <= -2 || k > 56) return scale(1 - (e - r), k) - 1
  if (k < 20) return scale(1 - scale(1, -k) - (e - r), k)
  return scale(r - (e + scale(1, -k)) + 1, k)
}

/**
 * Returns the hyperbolic sine; odd, NaN for NaN. Within 2 ulp. Source: fdlibm 5.3 e_sinh.c.
 */
export function sinh(x: number): number {
  const a = Math.abs(x)
  const half = x < 0 ? -0.5 : 0.5
  if (a < powerOfTwo(-28) || Number.isNaN(x)) return x
  if (a < 22) {
    const t = expm1(a)
    return a < 1 ? half * (2 * t - (t * t) / (t + 1)) : half * (t + t / (t + 1))
  }
  if (a < overflowAbove) return half * exp(a)
  // e^a overflows a little before sinh does; the square of e^(a/2) is multiplied in an order that does not.
  const root = exp(0.5 * a)
  return half * root * root
}

/**
 * Returns the hyperbolic cosine; even, NaN for NaN. Within 2 ulp. Source: fdlibm 5.3 e_cosh.c.
 */
export function cosh(x: number): number {
  const a = Math.abs(x)
  if (a < 0.5 * ln2High) {
    const t = expm1(a)
    return 1 + (t * t) / (2 * (1 + t))
  }
  if (a < 22) {
    const t = exp(a)
    return 0.5 * t + 0.5 / t
  }
  if (a < overflowAbove) return 0.5 * exp(a)
  const root = exp(0.5 * a)
  return 0.5 * root * root
}

/**
 * Returns the hyperbolic tangent, −1..1; odd, NaN for NaN. Within 2 ulp. Source: fdlibm 5.3 s_tanh.c.
 */
export function tanh(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x) || a < powerOfTwo(-28)) return x
  let magnitude = 1
  if (a < 22) {
    if (a >= 1) magnitude = 1 - 2 / (expm1(2 * a) + 2)
    else {
      const t = expm1(-2 * a)
      magnitude = -t / (t + 2)
    }
  }
  return x < 0 ? -magnitude : magnitude
}

/**
 * Returns x raised to y, with the special cases of IEEE 754 and ECMAScript: `pow(x, 0)` is 1, a negative x with a y that
 * is not an integer is NaN, `pow(±1, ±Infinity)` is NaN. Within 1 ulp.
 *
 * Source: fdlibm 5.3 e_pow.c: log2(x) with about 68 bits, multiplied by y in two parts, then 2 to that power.
 */
export function pow(x: number, y: number): number {
  if (y === 0) return 1
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
  const a = Math.abs(x)
  const sign = x < 0 || Object.is(x, -0) ? signOfPower(y) : 1
  if (a === Number.POSITIVE_INFINITY) return y > 0 ? sign * a : sign * 0
  if (a === 0) return y > 0 ? sign * 0 : sign * Number.POSITIVE_INFINITY
  if (Math.abs(y) === Number.POSITIVE_INFINITY) {
    if (a === 1) return Number.NaN
    return a > 1 === y > 0 ? Number.POSITIVE_INFINITY : 0
  }
  if (x < 0 && Math.floor(y) !== y) return Number.NaN
  if (a === 1) return sign
  if (y === 1) return x
  if (y === 2) return x * x
  if (y === 0.5) return Math.sqrt(a)
  return sign * powOfPositive(a, y)
}

/** −1 where a negative base raised to `y` is negative: `y` is an odd integer. */
function signOfPower(y: number): number {
  return Math.floor(y) === y && Math.abs(y) < powerOfTwo(53) && Math.abs(y % 2) === 1 ? -1 : 1
}

function powOfPositive(a: number, y: number): number {
  // A greater |y| than this times the least |log2 a| that is not 0 (2^-53) leaves the range of exponents.
  if (Math.abs(y) > powerOfTwo(64)) return a > 1 === y > 0 ? Number.POSITIVE_INFINITY : 0
  const { logHigh, logLow } = log2InTwoParts(a)
  const yHigh = withoutLowWord(y)
  const productLow = (y - yHigh) * logHigh + y * logLow
  const productHigh = yHigh * logHigh
  return exp2OfTwoParts(productHigh, productLow)
}

const twoThirdsOverLn2 = 0.9617966939259756
const twoThirdsOverLn2High = 0.9617967009544373
const twoThirdsOverLn2Low = -7.028461650952758e-9
/** log2(1.5), in two parts. */
const log2OfThreeHalvesHigh = 0.5849624872207642
const log2OfThreeHalvesLow = 1.350039202129749e-8

/** log2 of a positive finite number: the high part has its low word clear, the sum is good to about 68 bits. */
function log2InTwoParts(a: number): { logHigh: number; logLow: number } {
  let exponent = 0
  let m = a
  if (m < powerOfTwo(-1022)) {
    m *= powerOfTwo(54)
    exponent -= 54
  }
  exponent += (highWord(m) >> 20) - 1023
  m = scale(m, -((highWord(m) >> 20) - 1023))
  // m in [1, 2) is brought near 1 or near 1.5.
  let base = 1
  if (m >= Math.sqrt(3)) {
    m *= 0.5
    exponent += 1
  } else if (m >= Math.sqrt(1.5)) base = 1.5
  // s = (m − base)/(m + base) in two parts, by one step of long division.
  const difference = m - base
  const inverse = 1 / (m + base)
  const s = difference * inverse
  const sHigh = withoutLowWord(s)
  const sumHigh = withoutLowWord(m + base)
  const sumLow = m - (sumHigh - base)
  const sLow = inverse * (difference - sHigh * sumHigh - sHigh * sumLow)
  // ln(m/base) = 2s + 2/3 s³ + …: the series, divided by 2/3·s, as 3 + s² + rest.
  const square = s * s
  const rest =
    square *
      square *
      (0.5999999999999946 +
        square *
          (0.4285714285785502 +
            square *
              (0.33333332981837743 +
                square * (0.272728123808534 + square * (0.23066074577556175 + square * 0.20697501780033842))))) +
    sLow * (sHigh + s)
  const sHighSquare = sHigh * sHigh
  const factorHigh = withoutLowWord(3 + sHighSquare + rest)
  const factorLow = rest - (factorHigh - 3 - sHighSquare)
  const u = sHigh * factorHigh
  const v = sLow * factorHigh + factorLow * s
  const productHigh = withoutLowWord(u + v)
  const productLow = v - (productHigh - u)
  const zHigh = twoThirdsOverLn2High * productHigh
  const zLow =
    twoThirdsOverLn2Low * productHigh + productLow * twoThirdsOverLn2 + (base === 1 ? 0 : log2OfThreeHalvesLow)
  const baseHigh = base === 1 ? 0 : log2OfThreeHalvesHigh
  const logHigh = withoutLowWord(zHigh + zLow + baseHigh + exponent)
  return { logHigh, logLow: zLow - (logHigh - exponent - baseHigh - zHigh) }
}

const ln2HighHalf = 0.6931471824645996
const ln2LowHalf = -1.904654299957768e-9

/** 2^(high + low), where |low| is small against |high|. */
function exp2OfTwoParts(high: number, low: number): number {
  const z = high + low
  if (z >= 1025) return Number.POSITIVE_INFINITY
  if (z <= -1080) return 0
  const k = Math.floor(z + 0.5)
  const rHigh = high - k
  const t = withoutLowWord(rHigh + low)
  const u = t * ln2HighHalf
  const v = (low - (t - rHigh)) * Math.LN2 + t * ln2LowHalf
  const r = u + v
  const rest = v - (r - u)
  const square = r * r
  const c =
    r -
    square *
      (0.16666666666666602 +
        square *
          (-0.0027777777777015593 +
            square * (6.613756321437934e-5 + square * (-1.6533902205465252e-6 + square * 4.1381367970572385e-8))))
  const e = (r * c) / (c - 2) - (rest + r * rest)
  return scale(1 - (e - r), k)
}
