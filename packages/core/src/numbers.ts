/**
 * Returns the shortest decimal that reads back as the same float32 (`Math.fround(Number(text))`), in JSON's grammar.
 * A double's own shortest form would print float32 0.1 as 0.10000000149011612. `null` for NaN and infinities, which JSON lacks; -0 as `-0`.
 */
export function float32ToJson(value: number): string {
  const single = Math.fround(value)
  if (!Number.isFinite(single)) return 'null'
  if (Object.is(single, -0)) return '-0'
  // Nine significant digits always identify a float32 (IEEE 754-2019, 5.12.2); most need fewer than eight.
  for (let digits = 6; digits < 9; digits++) {
    const decimal = Number(single.toPrecision(digits))
    if (Math.fround(decimal) === single) return shorter(decimal, digits, single)
  }
  return String(Number(single.toPrecision(9)))
}

/** With six digits found at the first try, fewer may do. */
function shorter(decimal: number, digits: number, single: number): string {
  if (digits > 6) return String(decimal)
  let best = decimal
  for (let fewer = 5; fewer >= 1; fewer--) {
    const candidate = Number(single.toPrecision(fewer))
    if (Math.fround(candidate) !== single) break
    best = candidate
  }
  return String(best)
}

/** Prints a float64 as the shortest decimal that reads back the same; `null` for NaN and infinities; -0 as `-0`. */
export function float64ToJson(value: number): string {
  if (!Number.isFinite(value)) return 'null'
  return Object.is(value, -0) ? '-0' : String(value)
}
