import { highWord, powerOfTwo, scale } from './words.ts'

/**
 * Returns the cube root; odd, NaN for NaN. Within 1 ulp.
 *
 * Source: the last step is that of FreeBSD msun s_cbrt.c: Newton's, from a root short enough that its square is exact.
 */
export function cbrt(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x) || a === 0 || a === Number.POSITIVE_INFINITY) return x
  // a = m · 8^third with m in [1, 8).
  const normal = a < powerOfTwo(-1022) ? a * powerOfTwo(54) : a
  const exponent = (highWord(normal) >> 20) - 1023 - (normal === a ? 0 : 54)
  const third = Math.floor(exponent / 3)
  const m = scale(normal, -3 * third - (normal === a ? 0 : 54))
  // A line through [1, 8) is within 15 %; each step of Newton's squares the error: four reach 2^-23.
  let t = 0.88 + 0.146 * m
  for (let i = 0; i < 4; i++) t -= (t * t * t - m) / (3 * t * t)
  t = Math.fround(t)
  const quotient = m / (t * t)
  t += t * ((quotient - t) / (2 * t + quotient))
  const magnitude = scale(t, third)
  return x < 0 ? -magnitude : magnitude
}

/**
 * Returns √(x² + y²) without overflow or underflow between; Infinity where either is infinite, else NaN where either is
 * NaN. Within 1 ulp: the squares are summed in two parts (Dekker 1971).
 */
export function hypot(x: number, y: number): number {
  let a = Math.abs(x)
  let b = Math.abs(y)
  if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN
  if (a < b) [a, b] = [b, a]
  if (b === 0 || a > b * powerOfTwo(54)) return a
  // Brought near 1, where neither a square nor its error leaves the range.
  const exponent = a < powerOfTwo(-1022) ? -1074 : (highWord(a) >> 20) - 1023
  a = scale(a, -exponent)
  b = scale(b, -exponent)
  const aa = square(a)
  const bb = square(b)
  const high = aa.high + bb.high
  const low = aa.high - high + bb.high + aa.low + bb.low
  const root = Math.sqrt(high)
  const rr = square(root)
  return scale(root + (high - rr.high - rr.low + low) / (2 * root), exponent)
}

/** a² exactly, as the rounded square and its error. */
function square(a: number): { high: number; low: number } {
  const high = a * a
  const t = 134_217_729 * a
  const upper = t - (t - a)
  const lower = a - upper
  return { high, low: lower * lower - (high - upper * upper - 2 * upper * lower) }
}
