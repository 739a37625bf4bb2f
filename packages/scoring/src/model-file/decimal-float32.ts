/**
 * Decimal text to float32 with one rounding, as `strtof` does it. `Math.fround(Number(text))` rounds twice: where the
 * double lies exactly half-way between two float32 values, on which side of it the decimal was is lost.
 */

const scratch = new Float64Array(1)
const scratchWords = new Uint32Array(scratch.buffer)
/** Platforms with the high word first do not run this product, but a wrong word would be silent. */
const lowWord = (() => {
  scratch[0] = 1
  return scratchWords[0] === 0 ? 0 : 1
})()

/** Below this, float32 loses digits and half-way points have other bits. */
const leastNormal = 1.1754943508222875e-38

/**
 * Returns the float32 nearest to the decimal `text`, ties to even; beyond the largest one an infinity.
 *
 * @param value `Number(text)`.
 * @param text A decimal as in JSON (a leading + and missing digits beside the point allowed), finite.
 */
export function float32OfDecimal(value: number, text: () => string): number {
  const nearest = Math.fround(value)
  if (nearest === value) return nearest
  scratch[0] = value
  // A double has 29 bits more than a float32; half-way between two means that only the first of them is set.
  const halfway = ((scratchWords[lowWord] as number) & 0x1fff_ffff) === 0x1000_0000
  if (!halfway && Math.abs(value) >= leastNormal) return nearest
  const other = neighbour(nearest, value > nearest)
  if (nearest + (other - nearest) / 2 !== value) return nearest
  const side = compareDecimal(text(), value)
  if (side === 0) return nearest
  return side > 0 === other > nearest ? other : nearest
}

const single = new Float32Array(1)
const singleBits = new Int32Array(single.buffer)

/** The next float32 above or below; across zero by way of the least subnormal. */
function neighbour(value: number, above: boolean): number {
  if (value === 0) return above ? 1.401298464324817e-45 : -1.401298464324817e-45
  single[0] = value
  singleBits[0] = (singleBits[0] as number) + (value > 0 === above ? 1 : -1)
  return single[0] as number
}

/** Compares a decimal with a double exactly: negative when the decimal is less. */
function compareDecimal(text: string, value: number): number {
  const match = /^([-+]?)(\d*)\.?(\d*)(?:[eE]([-+]?\d+))?$/.exec(text)
  const sign = match?.[1] === '-' ? -1n : 1n
  let left = sign * BigInt(`${match?.[2] ?? ''}${match?.[3] ?? ''}` || '0')
  const exponent = Number(match?.[4] ?? 0) - (match?.[3]?.length ?? 0)
  // value = right / 2^shift, by doubling until it is whole: doubling a double is exact, and at most 1,074 times.
  let scaled = value
  let shift = 0n
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    shift += 1n
  }
  let right = BigInt(scaled)
  const power = BigInt(`1${'0'.repeat(Math.abs(exponent))}`)
  if (exponent >= 0) left *= power
  else right *= power
  left <<= shift
  return left < right ? -1 : left > right ? 1 : 0
}
