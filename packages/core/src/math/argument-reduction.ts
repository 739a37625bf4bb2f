import { highWord, lowWord, powerOfTwo } from './words.ts'

/** x = quadrant · π/2 + (high + low), with |high| <= π/4 (a little more at the edges) and the quadrant taken modulo 4. */
export interface ReducedAngle {
  readonly quadrant: number
  readonly high: number
  readonly low: number
}

/** π/2 in parts of 33 bits, so that n·part is exact for n < 2^20; each tail is what the part before it leaves. */
const parts = [
  { part: 1.5707963267341256, tail: 6.077100506506192e-11 },
  { part: 6.077100506303966e-11, tail: 2.0222662487959506e-21 },
  { part: 2.0222662487111665e-21, tail: 8.4784276603689e-32 },
] as const

const twoOverPi = 0.6366197723675814
const quarterPi = 0.7853981633974483

/**
 * Takes multiples of π/2 off an angle. `x` is finite.
 *
 * Source: Cody and Waite's reduction as in fdlibm 5.3 e_rem_pio2.c up to 2^19·π; beyond, Payne and Hanek, "Radian
 * reduction for trigonometric functions" (1983), here in one product of big integers.
 */
export function reduceAngle(x: number): ReducedAngle {
  const a = Math.abs(x)
  if (a <= quarterPi) return { quadrant: 0, high: x, low: 0 }
  const reduced = a < 1_647_099 ? reduceByParts(a) : reduceByBigInteger(a)
  if (x > 0) return reduced
  return { quadrant: -reduced.quadrant & 3, high: -reduced.high, low: -reduced.low }
}

function reduceByParts(a: number): ReducedAngle {
  const n = Math.floor(a * twoOverPi + 0.5)
  const exponent = (highWord(a) >> 20) & 0x7ff
  let rest = a - n * parts[0].part
  let correction = n * parts[0].tail
  let high = rest - correction
  // Where the difference cancelled many bits, the next 33 bits of π/2 are needed: after 16 lost ones, and after 49.
  for (let i = 1; i < parts.length; i++) {
    const lostBits = exponent - ((highWord(high) >> 20) & 0x7ff)
    if (lostBits <= (i === 1 ? 16 : 49)) break
    const { part, tail } = parts[i] as (typeof parts)[number]
    const before = rest
    const step = n * part
    rest = before - step
    correction = n * tail - (before - rest - step)
    high = rest - correction
  }
  return { quadrant: n & 3, high, low: rest - high - correction }
}

/** 2/π to 1,216 bits after the point: 1,024 for the greatest exponent, 53 for the significand, the rest as guard. */
const twoOverPiBits = 1216n
const twoOverPiScaled =
  0xa2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babn

/** π/2 in two doubles. */
const halfPiHigh = 1.5707963267948966
const halfPiLow = 6.123233995736766e-17

function reduceByBigInteger(a: number): ReducedAngle {
  const significand = (BigInt((highWord(a) & 0xfffff) | 0x100000) << 32n) | BigInt(lowWord(a) >>> 0)
  const exponent = BigInt(((highWord(a) >> 20) & 0x7ff) - 1023 - 52)
  // Both are scaled by 2^1216 (exponent < 0 drops bits far below what is kept).
  const product = significand * twoOverPiScaled
  const turns = exponent >= 0n ? product << exponent : product >> -exponent
  const one = 1n << twoOverPiBits
  let fraction = turns & (one - 1n)
  let quadrant = Number((turns >> twoOverPiBits) & 3n)
  if (fraction >= one >> 1n) {
    fraction -= one
    quadrant = (quadrant + 1) & 3
  }
  // Of the bits after the point 816 are plenty (no double is closer than 2^-62 to a multiple of π/2), and fit a double's
  // range; Number() of a big integer rounds correctly, so two doubles hold 106 of them.
  fraction >>= twoOverPiBits - 816n
  const f = Number(fraction) * fractionUnit
  const fractionLow = Number(fraction - BigInt(Number(fraction))) * fractionUnit
  const { high, low } = productInTwoParts(f, halfPiHigh)
  const rest = low + fractionLow * halfPiHigh + f * halfPiLow
  const sum = high + rest
  return { quadrant, high: sum, low: high - sum + rest }
}

const fractionUnit = powerOfTwo(-816)

/** a·b exactly, as the rounded product and its error. Source: Dekker, "A floating-point technique …" (1971). */
function productInTwoParts(a: number, b: number): { high: number; low: number } {
  const high = a * b
  const [a1, a2] = halves(a)
  const [b1, b2] = halves(b)
  return { high, low: a2 * b2 - (high - a1 * b1 - a2 * b1 - a1 * b2) }
}

function halves(a: number): [number, number] {
  const t = 134_217_729 * a
  const upper = t - (t - a)
  return [upper, a - upper]
}
