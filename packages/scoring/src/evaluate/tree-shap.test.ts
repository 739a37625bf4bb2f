import type { Forest } from '@millwright/kernels'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitsOf } from '../../oracle/cases.ts'
import type { TreeModel } from '../xgboost/model.ts'
import { TreeShap } from './tree-shap.ts'

// Tables are held to the walk, and the walk (by xgboost-fixtures.test.ts and xgboost-oracle.test.ts) to XGBoost.

const seed = 20_260_214
/** What is promised against XGBoost; the walk has XGBoost's own rounding. */
const differenceMax = 1e-5
const thresholdPool = [0, -0, 1, -1, 0.5, 2, 1e-45, 3.4028235e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
const valuePool = [...thresholdPool, 1.0000001, 0.99999994, -2, 3, Number.NaN, Number.NaN, Number.NaN]

interface Shape {
  readonly treeCount: number
  readonly depthMax: number
  readonly featureCount: number
  readonly groupCount: number
  readonly weighted: boolean
  readonly zeroCovers: boolean
  readonly categorical: boolean
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  treeCount: fc.integer({ min: 0, max: 8 }),
  depthMax: fc.integer({ min: 0, max: 7 }),
  featureCount: fc.integer({ min: 1, max: 12 }),
  groupCount: fc.integer({ min: 1, max: 3 }),
  weighted: fc.boolean(),
  zeroCovers: fc.boolean(),
  categorical: fc.boolean(),
})

/** A generator of whole numbers below `bound`, from one seed: models are too large to be shrunk node by node. */
function randomOf(start: number): (bound: number) => number {
  let state = start | 0
  return (bound) => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) % bound
  }
}

/** Every fourth tree of a model with zero covers has some, every third of a categorical one has categorical splits. */
function randomModel(shape: Shape, random: (bound: number) => number): TreeModel {
  const left: number[] = []
  const right: number[] = []
  const feature: number[] = []
  const defaultLeft: number[] = []
  const value: number[] = []
  const cover: number[] = []
  const setOfNode: number[] = []
  const grow = (depth: number, rows: number, tree: number): number => {
    const node = left.length
    const isLeaf = depth === shape.depthMax || (depth > 0 && random(100) < 15)
    left.push(-1)
    right.push(-1)
    feature.push(random(shape.featureCount))
    defaultLeft.push(random(2))
    value.push(isLeaf ? (random(2001) - 1000) / 777 : (thresholdPool[random(thresholdPool.length)] as number))
    cover.push(rows)
    setOfNode.push(!isLeaf && shape.categorical && tree % 3 === 0 && random(3) === 0 ? 0 : -1)
    if (isLeaf) return node
    const empty = shape.zeroCovers && tree % 4 === 0 && random(4) === 0
    const share = empty ? 0 : (1 + random(98)) / 100
    left[node] = grow(depth + 1, rows * share, tree)
    right[node] = grow(depth + 1, rows * (1 - share), tree)
    return node
  }
  const roots = Int32Array.from({ length: shape.treeCount }, (_, tree) => grow(0, 1000, tree))
  const forest: Forest = {
    featureCount: shape.featureCount,
    groupCount: shape.groupCount,
    roots,
    groups: roots.map(() => random(shape.groupCount)),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    feature: Int32Array.from(feature),
    defaultLeft: Uint8Array.from(defaultLeft),
    value: Float32Array.from(value),
    categories: shape.categorical
      ? { setOfNode: Int32Array.from(setOfNode), start: Int32Array.of(0, 1), words: Uint32Array.of(0b0110) }
      : null,
    leafVectors: null,
  }
  return {
    kind: 'trees',
    booster: shape.weighted ? 'dart' : 'gbtree',
    version: [3, 2, 0],
    objective: { name: 'binary:logitraw', transform: 'identity', link: 'identity' },
    featureCount: shape.featureCount,
    groupCount: shape.groupCount,
    baseMargins: Float32Array.from({ length: shape.groupCount }, (_, group) => group / 3),
    featureNames: null,
    bestIteration: null,
    forest,
    cover: Float32Array.from(cover),
    treeWeights: shape.weighted ? Float32Array.from(roots, () => random(100) / 80) : null,
    iterationStarts: Int32Array.from({ length: shape.treeCount + 1 }, (_, i) => i),
  }
}

function randomRow(featureCount: number, random: (bound: number) => number): Float32Array {
  return Float32Array.from({ length: featureCount }, () => valuePool[random(valuePool.length)] as number)
}

function explained(shap: TreeShap, model: TreeModel, row: Float32Array): Float32Array {
  const out = new Float32Array(model.groupCount * (model.featureCount + 1)).fill(7)
  shap.explain(row, out)
  return out
}

/** Greatest difference of two values at one place; NaN agrees with NaN alone. */
function differenceOf(found: Float32Array, wanted: Float32Array): number {
  return found.reduce((max, value, i) => {
    const difference = Object.is(value, wanted[i]) ? 0 : Math.abs(value - (wanted[i] as number))
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(max, difference)
  }, 0)
}

const shapeOfThree: Shape = {
  treeCount: 6,
  depthMax: 6,
  featureCount: 3,
  groupCount: 1,
  weighted: false,
  zeroCovers: false,
  categorical: false,
}

test('explain() by tables equals the walk within 1e-5 on any trees: missing, equal to thresholds, weighted, by group', () => {
  let tabulated = 0
  let walked = 0
  fc.assert(
    fc.property(shapes, fc.integer(), (shape, start) => {
      const random = randomOf(start)
      const model = randomModel(shape, random)
      const tables = new TreeShap(model, shape.treeCount)
      const walk = new TreeShap(model, shape.treeCount, 0)
      tabulated += tables.tabulatedTreeCount
      walked += shape.treeCount - tables.tabulatedTreeCount
      for (let i = 0; i < 20; i++) {
        const row = randomRow(shape.featureCount, random)
        const found = explained(tables, model, row)
        expect(differenceOf(found, explained(walk, model, row))).toBeLessThanOrEqual(differenceMax)
      }
    }),
    { seed, numRuns: 400 },
  )
  // Both ways were met, the tables mostly.
  expect(tabulated).toBeGreaterThan(1000)
  expect(walked).toBeGreaterThan(100)
})

test('explain() gives equal rows equal bits, whatever was explained before (T1)', () => {
  const random = randomOf(3)
  const model = randomModel({ ...shapeOfThree, groupCount: 2, weighted: true }, random)
  const rows = Array.from({ length: 200 }, () => randomRow(3, random))
  const used = new TreeShap(model, shapeOfThree.treeCount)
  const first = rows.map((row) => bitsOf(explained(used, model, row)))
  expect(rows.map((row) => bitsOf(explained(used, model, row)))).toEqual(first)
  const fresh = rows.map((row) => bitsOf(explained(new TreeShap(model, shapeOfThree.treeCount), model, row)))
  expect(fresh).toEqual(first)
})

test('explain() of a row that contributes nothing gives 0, not -0 (T2)', () => {
  const model = randomModel({ ...shapeOfThree, treeCount: 1, depthMax: 1 }, randomOf(1))
  const still = { ...model, forest: { ...model.forest, value: model.forest.value.map(() => 0) } }
  const shap = new TreeShap(still, 1)
  expect(shap.tabulatedTreeCount).toBe(1)
  for (let i = 0; i < 2; i++) expect(bitsOf(explained(shap, still, Float32Array.of(1, 2, 3)))).toEqual([0, 0, 0, 0])
})

test('explain() counts the first trees only', () => {
  const random = randomOf(9)
  const model = randomModel(shapeOfThree, random)
  const row = randomRow(3, random)
  const found = explained(new TreeShap(model, 2), model, row)
  expect(differenceOf(found, explained(new TreeShap(model, 2, 0), model, row))).toBeLessThanOrEqual(differenceMax)
  expect(bitsOf(found)).not.toEqual(bitsOf(explained(new TreeShap(model, 6), model, row)))
})

test('trees are walked that would not fit the tables, that are categorical, or that have covers of 0', () => {
  const random = randomOf(11)
  const model = randomModel(shapeOfThree, random)
  expect(new TreeShap(model, 6).tabulatedTreeCount).toBe(6)
  expect(new TreeShap(model, 6, 0).tabulatedTreeCount).toBe(0)
  const some = new TreeShap(model, 6, 1000).tabulatedTreeCount
  expect(some).toBeGreaterThan(0)
  expect(some).toBeLessThan(6)
  const zeroCover = { ...model, cover: (model.cover as Float32Array).map(() => 0) }
  expect(new TreeShap(zeroCover, 6).tabulatedTreeCount).toBe(0)
  const categories = {
    setOfNode: new Int32Array(model.forest.left.length),
    start: Int32Array.of(0, 1),
    words: Uint32Array.of(2),
  }
  expect(new TreeShap({ ...model, forest: { ...model.forest, categories } }, 6).tabulatedTreeCount).toBe(0)
  // One feature a level: a single leaf has more states than a treelet may.
  const wide = randomModel({ ...shapeOfThree, treeCount: 1, featureCount: 10, depthMax: 10 }, randomOf(2))
  expect(new TreeShap(wide, 1).tabulatedTreeCount).toBe(0)
})
