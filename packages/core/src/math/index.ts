/**
 * The functions of `Math` whose last digit differs between two V8s, in one form that is the same everywhere: only
 * + − × ÷ and the square root, which IEEE 754 rounds alike on every machine. What `Math` itself has exactly (abs, floor,
 * ceil, trunc, round, sign, min, max, sqrt, fround, imul, clz32) needs no twin here.
 */
export { cosh, exp, expm1, pow, sinh, tanh } from './exponential.ts'
export { acos, asin, atan, atan2 } from './inverse-trigonometric.ts'
export { acosh, asinh, atanh, log, log1p, log2, log10 } from './logarithm.ts'
export { cbrt, hypot } from './root.ts'
export { cos, sin, tan } from './trigonometric.ts'
