import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bitsOf, loadCases, type OracleCase } from '../../oracle/cases.ts'
import { rowOf } from '../../oracle/expect-case.ts'
import { readXgboostModel } from '../xgboost/read-model.ts'
import { compileScorer, ScoringError } from './compile.ts'

const folder = join(import.meta.dirname, '../../../../fixtures/scoring/xgboost-3.2.0')
const { cases } = loadCases(folder)

function load(name: string) {
  const wanted = cases.find((one) => one.name === name) as OracleCase
  const model = readXgboostModel(readFileSync(join(folder, `${name}.ubj`)))
  return { wanted, model, scorer: compileScorer(model) }
}

test('score() gives the bits of predict() whatever the batches, and sees nothing of earlier calls', () => {
  const { wanted, scorer } = load('binary')
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 }), (batches) => {
      let row = 0
      for (const size of batches) {
        const count = Math.min(size, wanted.rowCount - row)
        const out = new Float32Array(count)
        scorer.score(wanted.rows.subarray(row * wanted.featureCount), count, out)
        expect(bitsOf(out)).toEqual(bitsOf(wanted.predictions.subarray(row, row + count)))
        row += count
      }
    }),
    { seed: 4, numRuns: 200 },
  )
})

describe('givesProbability', () => {
  test.each([
    ['binary', true],
    ['reg-logistic', true],
    ['linear', true],
    ['dart', true],
    ['binary-logitraw', false],
    ['binary-hinge', false],
    ['softprob', false],
    ['targets-binary', false],
    ['count-poisson', false],
  ])('of %s is %s, and score() goes by it', (name, gives) => {
    const { wanted, scorer } = load(name)
    expect(scorer.givesProbability).toBe(gives)
    const call = (): void => scorer.score(wanted.rows, 1, new Float32Array(scorer.groupCount))
    if (gives) expect(call).not.toThrow()
    else expect(call).toThrow(ScoringError)
  })
})

test('contributions() of each group sum to its margin within 1e-5', () => {
  for (const name of [
    'binary',
    'softprob',
    'dart',
    'linear-softprob',
    'categorical',
    'binary-narrow',
    'count-poisson',
  ]) {
    const { wanted, scorer } = load(name)
    const width = wanted.featureCount + 1
    for (let row = 0; row < wanted.rowCount; row++) {
      const found = scorer.contributions(rowOf(wanted, row))
      for (let group = 0; group < scorer.groupCount; group++) {
        const sum = found.slice(group * width, (group + 1) * width).reduce((total, value) => total + value, 0)
        const margin = wanted.margins[row * scorer.groupCount + group] as number
        // Rows of the linear fixture hold 3.4e38, where a sum has no fifth digit to agree in.
        if (Math.abs(margin) < 1e6) expect(Math.abs(sum - margin)).toBeLessThan(1e-5 * Math.max(1, Math.abs(margin)))
      }
    }
  }
})

test('compileScorer() stops behind iterationEnd, as iteration_range does, and refuses one that is not there', () => {
  const { model, wanted } = load('binary')
  const whole = compileScorer(model, { iterationEnd: 6 })
  const out = new Float32Array(wanted.rowCount)
  whole.predict(wanted.rows, wanted.rowCount, out)
  expect(bitsOf(out)).toEqual(bitsOf(wanted.predictions))
  compileScorer(model, { iterationEnd: 1 }).predict(wanted.rows, wanted.rowCount, out)
  expect(bitsOf(out)).not.toEqual(bitsOf(wanted.predictions))
  for (const iterationEnd of [0, 7, 1.5, Number.NaN])
    expect(() => compileScorer(model, { iterationEnd })).toThrow(/want 1 to 6/)
})

test('arrays that are too short are refused by name, longer ones are taken', () => {
  const { scorer, wanted } = load('softmax')
  const { featureCount, groupCount } = scorer
  expect(() => scorer.predict(new Float32Array(featureCount), 2, new Float32Array(9))).toThrow(
    /"rows" has 5 values: want 10/,
  )
  expect(() => scorer.margins(wanted.rows, 2, new Float32Array(groupCount))).toThrow(/"out" has 4 values: want 8/)
  expect(() => scorer.predict(wanted.rows, 2, new Float32Array(1))).toThrow(/"out" has 1 values: want 2/)
  expect(() => scorer.contributions(new Float32Array(1))).toThrow(/"row" has 1 values: want 5/)
  const out = new Float32Array(5).fill(7)
  scorer.predict(wanted.rows, 2, out)
  expect([...out]).toEqual([...wanted.predictions.subarray(0, 2), 7, 7, 7])
})

test('contributions() of leaves that are vectors are refused, as XGBoost refuses them', () => {
  const { scorer, wanted } = load('targets-vector-leaf')
  expect(scorer.canExplain).toBe(false)
  expect(() => scorer.contributions(rowOf(wanted, 0))).toThrow(ScoringError)
})
