/**
 * Returns p-values adjusted so that flagging those <= q keeps the expected share of false flags at or under q.
 * The order is kept; no p-values give none.
 *
 * Source: Benjamini and Hochberg, "Controlling the false discovery rate" (1995); adjusted as in R's `p.adjust`.
 *
 * @param pValues Each 0..1, of tests that are independent or positively dependent.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const count = pValues.length
  const order = pValues.map((_, i) => i).sort((a, b) => (pValues[b] as number) - (pValues[a] as number))
  const adjusted = new Array<number>(count).fill(1)
  let least = 1
  for (const [place, index] of order.entries()) {
    least = Math.min(least, ((pValues[index] as number) * count) / (count - place))
    adjusted[index] = least
  }
  return adjusted
}
