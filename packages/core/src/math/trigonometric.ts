import { reduceAngle } from './argument-reduction.ts'

/** sin(x + y) for |x| <= π/4, y a tail of x. Source: fdlibm 5.3 k_sin.c (Remez polynomial of degree 13). */
function sinKernel(x: number, y: number): number {
  const z = x * x
  const v = z * x
  const r =
    0.00833333333332249 +
    z * (-1.984126982985795e-4 + z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)))
  return x - (z * (0.5 * y - v * r) - y - v * -0.16666666666666632)
}

/** cos(x + y) likewise. Source: FreeBSD msun k_cos.c (degree 14). */
function cosKernel(x: number, y: number): number {
  const z = x * x
  const r =
    z *
    (0.0416666666666666 +
      z *
        (-0.001388888888887411 +
          z *
            (2.480158728947673e-5 +
              z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))))
  const half = 0.5 * z
  const w = 1 - half
  return w + (1 - w - half + (z * r - x * y))
}

/** Returns the sine of an angle in radians; NaN for NaN and infinities, −0 for −0. Within 1 ulp for every argument. */
export function sin(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN
  if (Math.abs(x) < 1e-9) return x
  const { quadrant, high, low } = reduceAngle(x)
  const value = (quadrant & 1) === 0 ? sinKernel(high, low) : cosKernel(high, low)
  return quadrant < 2 ? value : -value
}

/** Returns the cosine of an angle in radians; NaN for NaN and infinities. Within 1 ulp for every argument. */
export function cos(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN
  const { quadrant, high, low } = reduceAngle(x)
  const value = (quadrant & 1) === 0 ? cosKernel(high, low) : sinKernel(high, low)
  return quadrant === 1 || quadrant === 2 ? -value : value
}

const tanCoefficients = [
  0.3333333333333341, 0.13333333333320124, 0.05396825397622605, 0.021869488294859542, 0.0088632398235993,
  0.0035920791075913124, 0.0014562094543252903, 5.880412408202641e-4, 2.464631348184699e-4, 7.817944429395571e-5,
  7.140724913826082e-5, -1.8558637485527546e-5, 2.590730518636337e-5,
] as const

/** π/4 in two parts. */
const quarterPiHigh = 0.7853981633974483
const quarterPiLow = 3.061616997868383e-17

/**
 * tan(x + y), or −1/tan(x + y) where `inverted`, for |x| <= π/4. Source: fdlibm 5.3 k_tan.c (degree 27; near π/4 by
 * tan(π/4 − t)).
 */
function tanKernel(xGiven: number, yGiven: number, inverted: boolean): number {
  let x = xGiven
  let y = yGiven
  const big = Math.abs(x) >= 0.6744
  const negative = x < 0
  if (big) {
    if (negative) {
      x = -x
      y = -y
    }
    x = quarterPiHigh - x + (quarterPiLow - y)
    y = 0
  }
  const z = x * x
  let series = 0
  for (let i = tanCoefficients.length - 1; i >= 1; i--) series = (tanCoefficients[i] as number) + z * series
  const s = z * x
  const r = y + z * (s * series + y) + tanCoefficients[0] * s
  const w = x + r
  if (big) {
    const v = inverted ? -1 : 1
    const value = v - 2 * (x - ((w * w) / (w + v) - r))
    return negative ? -value : value
  }
  if (!inverted) return w
  // −1/(x + r) with the error of the quotient put back: w in two parts of which the first is short.
  const wHigh = Math.fround(w)
  const v = r - (wHigh - x)
  const quotient = -1 / w
  const quotientHigh = Math.fround(quotient)
  return quotientHigh + quotient * (1 + quotientHigh * wHigh + quotientHigh * v)
}

/** Returns the tangent of an angle in radians; NaN for NaN and infinities, −0 for −0. Within 1 ulp for every argument. */
export function tan(x: number): number {
  if (!Number.isFinite(x)) return Number.NaN
  if (Math.abs(x) < 1e-9) return x
  const { quadrant, high, low } = reduceAngle(x)
  return tanKernel(high, low, (quadrant & 1) === 1)
}
