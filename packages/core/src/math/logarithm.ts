import { highWord, powerOfTwo, scale, withoutLowWord } from './words.ts'

const ln2High = 0.6931471803691238
const ln2Low = 1.9082149292705877e-10

/** x = 2^exponent · (1 + fraction) with 1 + fraction in [√½, √2). */
interface Reduced {
  exponent: number
  fraction: number
}

function reduce(x: number): Reduced {
  let exponent = 0
  let m = x
  if (m < powerOfTwo(-1022)) {
    m *= powerOfTwo(54)
    exponent = -54
  }
  const binade = (highWord(m) >> 20) - 1023
  m = scale(m, -binade)
  exponent += binade
  if (m >= Math.SQRT2) {
    m *= 0.5
    exponent += 1
  }
  return { exponent, fraction: m - 1 }
}

/** s·(f²/2 + R(s²)), the part of ln(1 + f) beyond f − f²/2. Source: fdlibm 5.3 e_log.c; FreeBSD msun k_log.h. */
function logRest(f: number): number {
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const odd = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373))
  const even = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)))
  return s * (0.5 * f * f + odd + even)
}

/** What the logarithms answer where there is no finite one; `undefined` where there is. */
function special(x: number): number | undefined {
  if (x > 0 && x < Number.POSITIVE_INFINITY) return undefined
  if (x === 0) return Number.NEGATIVE_INFINITY
  return x === Number.POSITIVE_INFINITY ? x : Number.NaN
}

/**
 * Returns the natural logarithm; −Infinity for 0, NaN for what is negative or NaN. Within 1 ulp.
 *
 * Source: fdlibm 5.3 e_log.c.
 */
export function log(x: number): number {
  const answer = special(x)
  if (answer !== undefined) return answer
  const { exponent: k, fraction: f } = reduce(x)
  return k * ln2High - (0.5 * f * f - (logRest(f) + k * ln2Low) - f)
}

/**
 * Returns ln(1 + x) without the cancellation of `log(1 + x)` near zero; −0 for −0. Within 1 ulp.
 *
 * Source: fdlibm 5.3 s_log1p.c.
 */
export function log1p(x: number): number {
  if (Math.abs(x) < powerOfTwo(-54)) return x
  const u = 1 + x
  const answer = special(u)
  if (answer !== undefined) return answer
  // Near 1, x itself is the fraction and nothing is lost.
  if (x > -0.29 && x < 0.41) return x - (0.5 * x * x - logRest(x))
  const { exponent: k, fraction: f } = reduce(u)
  // What 1 + x lost by rounding, relative to u.
  const lost = (x < 1 ? x - (u - 1) : 1 - (u - x)) / u
  return k * ln2High - (0.5 * f * f - (logRest(f) + (k * ln2Low + lost)) - f)
}

/** ln(1 + f) in two parts, the first with its low word clear. Source: FreeBSD msun e_log2.c. */
function logInTwoParts(f: number): { high: number; low: number } {
  const halfSquare = 0.5 * f * f
  const high = withoutLowWord(f - halfSquare)
  return { high, low: f - high - halfSquare + logRest(f) }
}

/** Returns the logarithm to base 2, exact for powers of two. Within 1 ulp. Source: FreeBSD msun e_log2.c. */
export function log2(x: number): number {
  const answer = special(x)
  if (answer !== undefined) return answer
  const { exponent: k, fraction: f } = reduce(x)
  const { high, low } = logInTwoParts(f)
  const inverseLn2High = 1.4426950407214463
  const inverseLn2Low = 1.6751713164886512e-10
  const valueHigh = high * inverseLn2High
  const sum = k + valueHigh
  return (low + high) * inverseLn2Low + low * inverseLn2High + (k - sum + valueHigh) + sum
}

/** Returns the logarithm to base 10, exact for powers of ten. Within 1 ulp. Source: FreeBSD msun e_log10.c. */
export function log10(x: number): number {
  const answer = special(x)
  if (answer !== undefined) return answer
  const { exponent: k, fraction: f } = reduce(x)
  const { high, low } = logInTwoParts(f)
  const inverseLn10High = 0.4342944818781689
  const inverseLn10Low = 2.5082946711645275e-11
  const log10Of2High = 0.30102999566361177
  const log10Of2Low = 3.694239077158931e-13
  const binades = k * log10Of2High
  const valueHigh = high * inverseLn10High
  const sum = binades + valueHigh
  const rest = k * log10Of2Low + (low + high) * inverseLn10Low + low * inverseLn10High
  return rest + (binades - sum + valueHigh) + sum
}

/** Returns the inverse hyperbolic sine; odd, NaN for NaN. Within 2 ulp. Source: fdlibm 5.3 s_asinh.c. */
export function asinh(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x) || a < powerOfTwo(-28) || a === Number.POSITIVE_INFINITY) return x
  const square = x * x
  const magnitude =
    a > powerOfTwo(28)
      ? log(a) + Math.LN2
      : a > 2
        ? log(2 * a + 1 / (Math.sqrt(square + 1) + a))
        : log1p(a + square / (1 + Math.sqrt(1 + square)))
  return x < 0 ? -magnitude : magnitude
}

/** Returns the inverse hyperbolic cosine; NaN below 1. Within 2 ulp. Source: fdlibm 5.3 e_acosh.c. */
export function acosh(x: number): number {
  if (!(x >= 1)) return Number.NaN
  if (x > powerOfTwo(28)) return log(x) + Math.LN2
  if (x > 2) return log(2 * x - 1 / (x + Math.sqrt(x * x - 1)))
  const t = x - 1
  return log1p(t + Math.sqrt(2 * t + t * t))
}

/** Returns the inverse hyperbolic tangent; ±Infinity at ±1, NaN beyond. Within 2 ulp. Source: fdlibm 5.3 e_atanh.c. */
export function atanh(x: number): number {
  const a = Math.abs(x)
  if (a > 1 || Number.isNaN(x)) return Number.NaN
  if (a < powerOfTwo(-28)) return x
  const twice = a + a
  const magnitude = 0.5 * (a < 0.5 ? log1p(twice + (twice * a) / (1 - a)) : log1p(twice / (1 - a)))
  return x < 0 ? -magnitude : magnitude
}
