/** How much faster the last step is than the first: e^5, about 148. */
const steps = 256
const ratio = 1 + 5 / steps

const curve = (() => {
  const table = new Float64Array(steps + 2)
  let power = 1
  for (let i = 0; i < steps; i++) power *= ratio
  const last = power
  power = 1
  for (let i = 0; i <= steps; i++) {
    table[i] = (power - 1) / (last - 1)
    power *= ratio
  }
  table[steps + 1] = 1
  return table
})()

/**
 * Returns damage that grows exponentially with age, scaled to 0 at severity 0 and 1 at severity 1: slow for most of a
 * bearing's life and steep at its end. By repeated multiplication, so that every engine gives the same bits.
 *
 * @param severity 0..1; outside it the nearest end counts.
 */
export function exponentialGrowth(severity: number): number {
  const place = Math.min(1, Math.max(0, severity)) * steps
  const i = Math.floor(place)
  const low = curve[i] as number
  return low + ((curve[i + 1] as number) - low) * (place - i)
}
