import { assert, limits, type Scorer } from '@millwright/core'

/** A row and what the model answered when the package was made: to the bit what it must answer wherever it is opened. */
export interface GoldenRow {
  /** One float32 per feature; NaN is missing. */
  readonly features: Float32Array
  /** float32. */
  readonly probability: number
}

/**
 * Chooses rows spread evenly over a table, and one where everything is missing, and has the model score them.
 *
 * @param rows One float32 per feature, row after row.
 * @param count Rows to choose, 0 to `goldenRowsMax - 1`; all where the table has fewer.
 */
export function makeGoldenRows(scorer: Scorer, rows: Float32Array, count = 31): GoldenRow[] {
  assert(count >= 0 && count < limits.goldenRowsMax, 'a package holds at most goldenRowsMax golden rows')
  const { featureCount } = scorer
  const rowCount = Math.floor(rows.length / featureCount)
  const chosen = [new Float32Array(featureCount).fill(Number.NaN)]
  const wanted = Math.min(count, rowCount)
  for (let i = 0; i < wanted; i++) {
    const row = Math.floor((i * rowCount) / wanted)
    chosen.push(rows.slice(row * featureCount, (row + 1) * featureCount))
  }
  return chosen.map((features) => ({ features, probability: scoreOne(scorer, features) }))
}

/** The first row whose answer has other bits than its golden one; `null` where none has. */
export function firstDifference(
  scorer: Scorer,
  rows: readonly GoldenRow[],
): { readonly row: number; readonly found: number; readonly wanted: number } | null {
  for (const [row, { features, probability }] of rows.entries()) {
    const found = scoreOne(scorer, features)
    if (!Object.is(found, probability)) return { row, found, wanted: probability }
  }
  return null
}

function scoreOne(scorer: Scorer, features: Float32Array): number {
  const out = new Float32Array(1)
  scorer.score(features, 1, out)
  return out[0] as number
}
