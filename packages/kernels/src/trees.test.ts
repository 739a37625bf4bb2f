import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOfBase64 } from './base64.ts'
import { createTreeEvaluator } from './trees.ts'
import { treesWasmBase64 } from './trees.wasm.ts'
import type { Forest } from './trees-forest.ts'
import { treeDepths } from './trees-forest.ts'
import { layOutForest } from './trees-layout.ts'
import { createPlainTreeEvaluator } from './trees-plain.ts'

// The kernel is held to the plain twin: random forests of every shape over a pool of values chosen to be nasty, compared
// by bits, in batches of 1 to 150 rows so that the row path, whole blocks and cut-off blocks are all met.

const seed = 20_260_101
const nastyValues = [
  0, -0, 1, -1, 1.5, 1e-45, -1e-45, 1.1754944e-38, 3.4028235e38, -3.4028235e38, 0.1, 2, 3, 31, 32, 33,
]
const infinities = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
const strangeCategories = [-0.5, 0.5, 63.9, 64, 16_777_215, 16_777_216, 1e30]

interface Shape {
  readonly treeCount: number
  readonly depthMax: number
  /** Chance that a node above the deepest level is split, of 100: 100 gives perfect trees. */
  readonly splitChance: number
  readonly featureCount: number
  readonly groupCount: number
  readonly categorical: boolean
  readonly vectors: boolean
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  treeCount: fc.integer({ min: 0, max: 20 }),
  depthMax: fc.integer({ min: 0, max: 9 }),
  splitChance: fc.integer({ min: 20, max: 100 }),
  featureCount: fc.integer({ min: 1, max: 9 }),
  groupCount: fc.integer({ min: 1, max: 3 }),
  categorical: fc.boolean(),
  vectors: fc.boolean(),
})

/** A generator of whole numbers below `bound`, from one seed: forests are too large to be shrunk node by node. */
function randomOf(start: number): (bound: number) => number {
  let state = start | 0
  return (bound) => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) % bound
  }
}

function randomForest(shape: Shape, random: (bound: number) => number): Forest {
  const left: number[] = []
  const right: number[] = []
  const feature: number[] = []
  const defaultLeft: number[] = []
  const value: number[] = []
  const setOfNode: number[] = []
  const start = [0]
  const words: number[] = []
  const vectors: number[] = []
  const grow = (depth: number): number => {
    const node = left.length
    left.push(-1)
    right.push(-1)
    feature.push(random(shape.featureCount))
    defaultLeft.push(random(2))
    setOfNode.push(-1)
    value.push(Math.fround((random(2001) - 1000) / 777))
    if (depth === shape.depthMax || random(100) >= shape.splitChance) {
      if (shape.vectors) {
        right[node] = vectors.length / shape.groupCount
        for (let g = 0; g < shape.groupCount; g++) vectors.push((random(2001) - 1000) / 777)
      }
      return node
    }
    value[node] = [...nastyValues, ...infinities][random(nastyValues.length + 2)] as number
    if (shape.categorical && random(2) === 0) {
      setOfNode[node] = start.length - 1
      for (let w = random(3); w >= 0; w--) words.push((random(65_536) << 16) | random(65_536))
      start.push(words.length)
    }
    left[node] = grow(depth + 1)
    right[node] = grow(depth + 1)
    return node
  }
  const roots = Array.from({ length: shape.treeCount }, () => grow(0))
  return {
    featureCount: shape.featureCount,
    groupCount: shape.groupCount,
    roots: Int32Array.from(roots),
    groups: Int32Array.from(roots, () => random(shape.groupCount)),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    feature: Int32Array.from(feature),
    defaultLeft: Uint8Array.from(defaultLeft),
    value: Float32Array.from(value),
    categories: shape.categorical
      ? { setOfNode: Int32Array.from(setOfNode), start: Int32Array.from(start), words: Uint32Array.from(words) }
      : null,
    leafVectors: shape.vectors ? Float32Array.from(vectors) : null,
  }
}

function randomRows(count: number, random: (bound: number) => number): Float32Array {
  const pool = [...nastyValues, ...infinities, ...strangeCategories, Number.NaN, Number.NaN, Number.NaN]
  return Float32Array.from({ length: count }, () =>
    random(4) === 0 ? (random(100) - 50) / 10 : (pool[random(pool.length)] as number),
  )
}

function expectEqualBits(found: Float32Array, wanted: Float32Array): void {
  expect([...new Int32Array(found.buffer)]).toEqual([...new Int32Array(wanted.buffer)])
}

test('createTreeEvaluator() equals its plain twin bit for bit on any forest, any rows, in any batch size', () => {
  fc.assert(
    fc.property(shapes, fc.integer(), fc.integer({ min: 1, max: 150 }), (shape, start, rowCount) => {
      const random = randomOf(start)
      const forest = randomForest(shape, random)
      const base = Float32Array.from({ length: shape.groupCount }, (_, g) => (g === 0 ? -0 : g / 3))
      const rows = randomRows(rowCount * shape.featureCount, random)
      const wanted = new Float32Array(rowCount * shape.groupCount)
      createPlainTreeEvaluator(forest, base).margins(rows, rowCount, wanted)
      const kernel = createTreeEvaluator(forest, base)
      const together = new Float32Array(wanted.length)
      kernel.margins(rows, rowCount, together)
      expectEqualBits(together, wanted)
      const oneByOne = new Float32Array(wanted.length)
      for (let row = 0; row < rowCount; row++) {
        const out = new Float32Array(shape.groupCount)
        kernel.margins(rows.slice(row * shape.featureCount, (row + 1) * shape.featureCount), 1, out)
        oneByOne.set(out, row * shape.groupCount)
      }
      expectEqualBits(oneByOne, wanted)
    }),
    { seed, numRuns: 1500 },
  )
})

test('createTreeEvaluator() equals its plain twin over more rows than its memory takes at once', () => {
  const random = randomOf(5)
  const shape = { treeCount: 9, depthMax: 4, splitChance: 90, featureCount: 700, groupCount: 2 }
  const forest = randomForest({ ...shape, categorical: false, vectors: false }, random)
  const base = Float32Array.of(0.5, -2)
  const rowCount = 331
  expect(layOutForest(forest, base).rowsMax).toBeLessThan(rowCount)
  const rows = randomRows(rowCount * shape.featureCount, random)
  const wanted = new Float32Array(rowCount * 2)
  const found = new Float32Array(rowCount * 2)
  createPlainTreeEvaluator(forest, base).margins(rows, rowCount, wanted)
  createTreeEvaluator(forest, base).margins(rows, rowCount, found)
  expectEqualBits(found, wanted)
})

test('layOutForest() takes no more memory for a deep and narrow tree than its nodes ask for', () => {
  const depth = 400
  const nodeCount = 2 * depth + 1
  const left = new Int32Array(nodeCount).fill(-1)
  const right = new Int32Array(nodeCount).fill(-1)
  const value = new Float32Array(nodeCount)
  for (let level = 0; level < depth; level++) {
    // Node 2·level splits into a leaf and the next split.
    left[2 * level] = 2 * level + 1
    right[2 * level] = 2 * level + 2
    value[2 * level] = level
    value[2 * level + 1] = -level
  }
  const forest: Forest = {
    featureCount: 1,
    groupCount: 1,
    roots: Int32Array.of(0),
    groups: Int32Array.of(0),
    left,
    right,
    feature: new Int32Array(nodeCount),
    defaultLeft: new Uint8Array(nodeCount).fill(1),
    value,
    categories: null,
    leafVectors: null,
  }
  const base = Float32Array.of(0)
  expect(treeDepths(forest)).toEqual(Int32Array.of(depth))
  expect(layOutForest(forest, base).byteLength).toBeLessThan(16 * nodeCount + 300_000)
  const rows = Float32Array.from({ length: 450 }, (_, i) => (i === 449 ? Number.NaN : i - 10))
  const wanted = new Float32Array(450)
  const found = new Float32Array(450)
  createPlainTreeEvaluator(forest, base).margins(rows, 450, wanted)
  createTreeEvaluator(forest, base).margins(rows, 450, found)
  expectEqualBits(found, wanted)
  expect(new Set(found).size).toBeGreaterThan(390)
})

test('the kernel has no static data where the layout puts the model', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const bytes = new Uint8Array(memory.buffer).fill(0xaa)
  new WebAssembly.Instance(new WebAssembly.Module(bytesOfBase64(treesWasmBase64)), {
    env: { memory },
  })
  expect(bytes.every((byte) => byte === 0xaa)).toBe(true)
})

test('the kernel runs in plain V8, with WebAssembly and nothing of Node', () => {
  // The files as they are, types stripped and joined into one script, in a context that has the language's own globals only.
  const context = createContext(Object.create(null))
  expect(runInContext('typeof process + typeof Buffer + typeof TextDecoder + typeof performance', context)).toBe(
    'undefinedundefinedundefinedundefined',
  )
  const { stripTypeScriptTypes } = process.getBuiltinModule('module')
  const source = ['base64.ts', 'trees.wasm.ts', 'trees-forest.ts', 'trees-layout.ts', 'trees.ts']
    .map((file) => stripTypeScriptTypes(readFileSync(new URL(file, import.meta.url), 'utf8')))
    .join('\n')
    .replace(/^import .*$/gm, '')
    .replace(/^export /gm, '')
  const found = runInContext(
    `(() => { ${source}
      const evaluator = createTreeEvaluator({
        featureCount: 1, groupCount: 1, roots: Int32Array.of(0), groups: Int32Array.of(0),
        left: Int32Array.of(1, -1, -1), right: Int32Array.of(2, -1, -1), feature: Int32Array.of(0, 0, 0),
        defaultLeft: Uint8Array.of(0, 0, 0), value: Float32Array.of(0.5, -1, 2), categories: null, leafVectors: null,
      }, Float32Array.of(0.25))
      const out = new Float32Array(3)
      evaluator.margins(Float32Array.of(0.25, 0.5, NaN), 3, out)
      return out.join()
    })()`,
    context,
  )
  expect(found).toBe('-0.75,2.25,2.25')
})
