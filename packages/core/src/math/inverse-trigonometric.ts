import { withoutLowWord } from './words.ts'

const halfPiHigh = 1.5707963267948966
const halfPiLow = 6.123233995736766e-17

/** (asin(x) − x)/x as a rational function of z = x², |x| <= ½. Source: fdlibm 5.3 e_asin.c. */
function asinRest(z: number): number {
  const p =
    z *
    (0.16666666666666666 +
      z *
        (-0.3255658186224009 +
          z *
            (0.20121253213486293 + z * (-0.04005553450067941 + z * (7.915349942898145e-4 + z * 3.479331075960212e-5)))))
  const q =
    1 + z * (-2.403394911734414 + z * (2.0209457602335057 + z * (-0.6882839716054533 + z * 0.07703815055590194)))
  return p / q
}

/** Returns the arc sine in radians, −π/2..π/2; NaN outside −1..1. Within 1 ulp. Source: fdlibm 5.3 e_asin.c. */
export function asin(x: number): number {
  const a = Math.abs(x)
  if (!(a <= 1)) return Number.NaN
  if (a < 0.5) return x + x * asinRest(x * x)
  const z = (1 - a) * 0.5
  const root = Math.sqrt(z)
  const rest = asinRest(z)
  let magnitude: number
  if (a >= 0.975) magnitude = halfPiHigh - (2 * (root + root * rest) - halfPiLow)
  else {
    const rootHigh = withoutLowWord(root)
    const rootLow = (z - rootHigh * rootHigh) / (root + rootHigh)
    const p = 2 * root * rest - (halfPiLow - 2 * rootLow)
    magnitude = 0.5 * halfPiHigh - (p - (0.5 * halfPiHigh - 2 * rootHigh))
  }
  return x < 0 ? -magnitude : magnitude
}

/** Returns the arc cosine in radians, 0..π; NaN outside −1..1. Within 1 ulp. Source: fdlibm 5.3 e_acos.c. */
export function acos(x: number): number {
  const a = Math.abs(x)
  if (!(a <= 1)) return Number.NaN
  if (a < 0.5) return halfPiHigh - (x - (halfPiLow - x * asinRest(x * x)))
  const z = (1 - a) * 0.5
  const root = Math.sqrt(z)
  const rest = asinRest(z)
  if (x < 0) return 2 * (halfPiHigh - (root + (rest * root - halfPiLow)))
  const rootHigh = withoutLowWord(root)
  const rootLow = z === 0 ? 0 : (z - rootHigh * rootHigh) / (root + rootHigh)
  return 2 * (rootHigh + (rest * root + rootLow))
}

/** Where each reduction of {@link atan} begins, and the arc tangent of its centre in two parts. */
const reductions = [
  { from: 2.4375, high: halfPiHigh, low: halfPiLow, reduce: (a: number) => -1 / a },
  {
    from: 1.1875,
    high: 0.982793723247329,
    low: 1.3903311031230998e-17,
    reduce: (a: number) => (a - 1.5) / (1 + 1.5 * a),
  },
  {
    from: 0.6875,
    high: 0.7853981633974483,
    low: 3.061616997868383e-17,
    reduce: (a: number) => (a - 1) / (a + 1),
  },
  {
    from: 0.4375,
    high: 0.4636476090008061,
    low: 2.2698777452961687e-17,
    reduce: (a: number) => (2 * a - 1) / (2 + a),
  },
] as const

/** Returns the arc tangent in radians, −π/2..π/2; odd, NaN for NaN. Within 1 ulp. Source: fdlibm 5.3 s_atan.c. */
export function atan(x: number): number {
  const a = Math.abs(x)
  if (Number.isNaN(x) || a < 1e-9) return x
  const reduction = reductions.find(({ from }) => a >= from)
  const t = reduction === undefined ? a : reduction.reduce(a)
  const z = t * t
  const w = z * z
  const odd =
    z *
    (0.3333333333333293 +
      w *
        (0.14285714272503466 +
          w *
            (0.09090887133436507 + w * (0.06661073137387531 + w * (0.049768779946159324 + w * 0.016285820115365782)))))
  const even =
    w *
    (-0.19999999999876483 +
      w * (-0.11111110405462356 + w * (-0.0769187620504483 + w * (-0.058335701337905735 + w * -0.036531572744216916))))
  const rest = t * (odd + even)
  const magnitude = reduction === undefined ? t - rest : reduction.high - (rest - reduction.low - t)
  return x < 0 ? -magnitude : magnitude
}

/**
 * Returns the angle of the point (x, y) in radians, −π..π, with the signs of zero as IEEE 754 has them; NaN where
 * either is NaN. Within 1 ulp. Source: fdlibm 5.3 e_atan2.c.
 */
export function atan2(y: number, x: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN
  const negativeX = x < 0 || Object.is(x, -0)
  const a = Math.abs(y)
  let angle: number
  if (a === 0) angle = 0
  else if (x === 0) return y > 0 ? halfPiHigh : -halfPiHigh
  else if (a === Number.POSITIVE_INFINITY && Math.abs(x) === a) angle = 0.5 * halfPiHigh
  else angle = atan(a / Math.abs(x))
  // π has a tail of its own: π/2's, doubled.
  if (negativeX) angle = a === 0 ? 2 * halfPiHigh : 2 * halfPiHigh - (angle - 2 * halfPiLow)
  return y < 0 || Object.is(y, -0) ? -angle : angle
}
