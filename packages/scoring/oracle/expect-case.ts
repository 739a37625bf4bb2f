import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { compileScorer, readXgboostModel } from '../src/index.ts'
import { bitsOf, type OracleCase } from './cases.ts'

/** The promise is 1e-5; the arithmetic is XGBoost's own, so that any difference at all means that something changed. */
const contributionDifferenceMax = 1e-6
/** Explaining a row costs hundreds of times what scoring it does. */
const explainedRowsMax = 50

/** Holds one model file to what XGBoost gave: margins and predictions to the bit, contributions to 1e-6. */
export function expectEqualsXgboost(folder: string, file: string, wanted: OracleCase): void {
  const model = readXgboostModel(readFileSync(join(folder, file)))
  expect(model.featureCount).toBe(wanted.featureCount)
  expect(model.featureNames).toEqual(wanted.featureNames)
  expect(model.bestIteration).toBe(wanted.bestIteration)
  const scorer = compileScorer(model, wanted.iterationEnd === null ? {} : { iterationEnd: wanted.iterationEnd })
  const margins = new Float32Array(wanted.margins.length)
  scorer.margins(wanted.rows, wanted.rowCount, margins)
  expect(bitsOf(margins), `${file}: margins`).toEqual(bitsOf(wanted.margins))
  const predictions = new Float32Array(wanted.predictions.length)
  scorer.predict(wanted.rows, wanted.rowCount, predictions)
  expect(bitsOf(predictions), `${file}: predictions`).toEqual(bitsOf(wanted.predictions))

  if (wanted.contributions === null) return
  const width = wanted.contributions.length / wanted.rowCount
  for (let row = 0; row < Math.min(wanted.rowCount, explainedRowsMax); row++) {
    const found = scorer.contributions(rowOf(wanted, row))
    const expected = wanted.contributions.subarray(row * width, (row + 1) * width)
    expect(found.length).toBe(width)
    // A weight times 3.4e38 is infinite in both.
    const differences = found.map((value, i) => (value === expected[i] ? 0 : Math.abs(value - (expected[i] as number))))
    const difference = differences.reduce((max, value) => Math.max(max, value), 0)
    expect(difference, `${file}: contributions of row ${row}`).toBeLessThanOrEqual(contributionDifferenceMax)
  }
}

/** One row of a case. */
export function rowOf(wanted: OracleCase, row: number): Float32Array {
  return wanted.rows.subarray(row * wanted.featureCount, (row + 1) * wanted.featureCount)
}
