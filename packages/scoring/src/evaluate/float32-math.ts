/**
 * exp and log of float32 with the very bits of glibc's `expf` and `logf`, which XGBoost calls. `Math.fround(Math.exp(x))`
 * misses about one input in a thousand, and two JavaScript engines may differ. Both functions work in float64 and round once
 * at the end.
 *
 * Source: the algorithms and their constants are those of glibc 2.27 and later, `sysdeps/ieee754/flt-32/e_expf.c` and
 * `e_logf.c` (from ARM's optimized-routines). Compared with glibc 2.36 on an x86-64 with fused multiply-add over every float32:
 * `expf` differed for two inputs, which are answered apart; `logf` for none.
 */

const { fround } = Math

/** 2^(i/32) for i = 0 to 31, correctly rounded. */
const roots = Float64Array.of(
  1,
  1.0218971486541166,
  1.0442737824274138,
  1.0671404006768237,
  1.0905077326652577,
  1.1143867425958924,
  1.1387886347566916,
  1.1637248587775775,
  1.189207115002721,
  1.215247359980469,
  1.241857812073484,
  1.2690509571917332,
  1.2968395546510096,
  1.3252366431597413,
  1.3542555469368927,
  1.383909881963832,
  Math.SQRT2,
  1.4451808069770467,
  1.4768261459394993,
  1.5091644275934228,
  1.5422108254079407,
  1.5759808451078865,
  1.6104903319492543,
  1.645755478153965,
  1.681792830507429,
  1.718619298122478,
  1.7562521603732995,
  1.7947090750031072,
  1.8340080864093424,
  1.8741676341103,
  1.9152065613971474,
  1.9571441241754002,
)

/** 2^n for n = -150 to 128, exact. */
const powerOffset = 150
const powers = (() => {
  const values = new Float64Array(powerOffset + 129)
  values[powerOffset] = 1
  for (let n = 1; n <= 128; n++) values[powerOffset + n] = (values[powerOffset + n - 1] as number) * 2
  for (let n = 1; n <= powerOffset; n++) values[powerOffset - n] = (values[powerOffset - n + 1] as number) / 2
  return values
})()

const stepsPerUnit = 46.166241308446828
/** Adding and subtracting this rounds a double to a whole number, ties to even. */
const roundingShift = 6_755_399_441_055_744
const expCubic = 1.6938359250920212e-6
const expSquare = 2.3459809789509004e-4
const expLinear = 0.021660849396613134

/** Beyond these expf is infinite or 0. */
const expMax = 88.72283172607422
const expMin = -103.97207641601562

/** Returns the float32 that `expf` gives: infinity above 88.72283, 0 below -103.97208, NaN for NaN. */
export function exp32(x: number): number {
  if (!(x <= expMax)) return x > expMax ? Number.POSITIVE_INFINITY : Number.NaN
  if (x < expMin) return 0
  // Fused multiply-add, which every processor XGBoost is built for has had since 2013, gives these two another last bit.
  if (x === 32.564632415771484) return 138_880_149_880_832
  if (x === -63.09946060180664) return 3.946866735154823e-28
  const z = stepsPerUnit * x
  const steps = z + roundingShift - roundingShift
  const r = z - steps
  const scale = (roots[steps & 31] as number) * (powers[(steps >> 5) + powerOffset] as number)
  const r2 = r * r
  return fround(((expCubic * r + expSquare) * r2 + (expLinear * r + 1)) * scale)
}

/** 1/c and log(c) for 16 points c between 0.7 and 1.4. */
const inversePoints = Float64Array.of(
  1.3989071621465281,
  1.3403141896637998,
  1.286432210124115,
  1.2367150214269895,
  1.1906977166711752,
  1.1479821020556429,
  1.1082251448272158,
  1.0711297413057381,
  1.0364372789772831,
  1,
  0.9492859795739057,
  0.89510494286090037,
  0.84768216203511026,
  0.80503148516920009,
  0.7664671008843108,
  0.73142860331632797,
)
const logOfPoints = Float64Array.of(
  -0.33569133332882284,
  -0.29290405637740741,
  -0.25187265809373688,
  -0.21245868807117255,
  -0.17453945183745634,
  -0.1380057072319758,
  -0.10275976698545139,
  -0.068713924470205245,
  -0.035789138739822798,
  0,
  0.052045177429294959,
  0.11081431298787942,
  0.16524952236951429,
  0.21687389031699977,
  0.26596350281213971,
  0.31275566640735569,
)
const ln2 = Math.LN2
const logCubic = -0.25089342214237154
const logSquare = 0.33345676574406602
const logHalf = -0.49999974858021029
const leastNormal = 1.1754943508222875e-38

const single = new Float32Array(1)
const singleBits = new Int32Array(single.buffer)

/** Returns the float32 that `logf` gives: -infinity for 0, NaN below 0 and for NaN. `x` must be a float32. */
export function log32(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (x === Number.POSITIVE_INFINITY) return x
  if (x === 1) return 0
  const subnormal = x < leastNormal
  single[0] = subnormal ? x * 8_388_608 : x
  const bits = (singleBits[0] as number) - (subnormal ? 23 << 23 : 0)
  const offset = (bits - 0x3f33_0000) | 0
  const point = (offset >> 19) & 15
  const exponent = offset >> 23
  singleBits[0] = bits - (offset & 0xff80_0000)
  const r = (single[0] as number) * (inversePoints[point] as number) - 1
  const head = (logOfPoints[point] as number) + exponent * ln2
  const r2 = r * r
  return fround((logCubic * r2 + (logSquare * r + logHalf)) * r2 + (head + r))
}
