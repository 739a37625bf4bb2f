import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeUbjson } from '../../oracle/write-ubjson.ts'
import { compileScorer } from '../evaluate/compile.ts'
import { ModelFileError, type ModelFileReason } from '../model-file/model-file-error.ts'
import type { TreeModel } from './model.ts'
import { readXgboostModel } from './read-model.ts'

// Hostile files are a real file with one thing changed, in both formats; fuzzing changes bytes at random.

const fixtures = join(import.meta.dirname, '../../../../fixtures/scoring/xgboost-3.2.0')
const fixture = (name: string): Uint8Array => readFileSync(join(fixtures, name))
const encoder = new TextEncoder()

// biome-ignore lint/suspicious/noExplicitAny: a file is changed here in every way that its type forbids.
type Json = any
type Change = (file: Json, tree: Json) => void

function changed(name: string, change: Change): Json {
  const file = JSON.parse(new TextDecoder().decode(fixture(name))) as Json
  const booster = file.learner.gradient_booster
  change(file, (booster.gbtree ?? booster).model.trees?.[0])
  return file
}

function refusalOf(bytes: Uint8Array): ModelFileError {
  try {
    readXgboostModel(bytes)
  } catch (error) {
    if (error instanceof ModelFileError) return error
    throw error
  }
  throw new Error('was not refused')
}

/** Puts a value at a path from the file's root, or from its first tree where the path begins with `tree`. */
function put(path: string, value: unknown): Change {
  return (file, tree) => {
    const steps = path.split('.')
    const last = steps.pop() as string
    const holder = steps.reduce((found: Json, step) => (step === 'tree' ? tree : found[step]), file)
    if (value === undefined) delete holder[last]
    else holder[last] = value
  }
}
const drop = (path: string): Change => put(path, undefined)
const both =
  (...changes: readonly Change[]): Change =>
  (file, tree) => {
    for (const change of changes) change(file, tree)
  }

const parameter = 'learner.learner_model_param'
const booster = 'learner.gradient_booster'
const contentChanges: readonly (readonly [ModelFileReason, string, Change])[] = [
  ['not-xgboost', 'another JSON document', drop('learner')],
  ['not-xgboost', 'a LightGBM dump', both(drop('learner'), put('tree_info', []))],
  ['field-missing', 'no version', drop('version')],
  ['version-unsupported', 'a version of the past', put('version', [1, 6, 2])],
  ['version-unsupported', 'a version to come', put('version', [4, 0, 0])],
  ['too-many', 'a version of many parts', put('version', [3, 0, 0, 0])],
  ['field-missing', 'no objective', drop('learner.objective')],
  ['field-missing', 'no base score', drop(`${parameter}.base_score`)],
  ['objective-unsupported', 'an unknown objective', put('learner.objective.name', 'reg:unheard-of')],
  ['booster-unsupported', 'an unknown booster', put(`${booster}.name`, 'gbforest')],
  ['wrong-type', 'a number where a name is', put('learner.objective.name', 7)],
  ['wrong-type', 'a count that is no count', put(`${parameter}.num_feature`, '-3')],
  ['wrong-type', 'a learner that is a list', put('learner', [])],
  ['too-many', 'features beyond the limit', put(`${parameter}.num_feature`, '99999999')],
  ['too-many', 'classes beyond the limit', put(`${parameter}.num_class`, '1025')],
  ['count-differs', 'no feature', put(`${parameter}.num_feature`, '0')],
  [
    'count-differs',
    'classes and targets',
    both(put(`${parameter}.num_class`, '2'), put(`${parameter}.num_target`, '2')),
  ],
  ['count-differs', 'softmax over no class', put('learner.objective.name', 'multi:softprob')],
  ['count-differs', 'too few feature names', put('learner.feature_names', ['a'])],
  ['base-score-invalid', 'a base score that is text', put(`${parameter}.base_score`, 'high')],
  ['base-score-invalid', 'a base score that is NaN', put(`${parameter}.base_score`, '[NaN]')],
  ['base-score-invalid', 'too many base scores', put(`${parameter}.base_score`, '[1E-1,2E-1]')],
  ['base-score-invalid', 'no base score in the list', put(`${parameter}.base_score`, '[]')],
  [
    'base-score-invalid',
    'a base score without a logarithm',
    both(put('learner.objective.name', 'count:poisson'), put(`${parameter}.base_score`, '-1')),
  ],
  ['count-differs', 'a tree that is missing', (file) => file.learner.gradient_booster.model.trees.pop()],
  ['count-differs', 'a tree in another place', put('tree.id', 3)],
  ['count-differs', 'a count of nodes that lies', put('tree.tree_param.num_nodes', '2')],
  ['too-many', 'a huge count of nodes', put('tree.tree_param.num_nodes', '99999999')],
  ['wrong-type', 'a negative count of nodes', put('tree.tree_param.num_nodes', '-1')],
  ['count-differs', 'a column that is shorter', (_, tree) => tree.split_conditions.pop()],
  ['count-differs', 'iterations that end early', (file) => file.learner.gradient_booster.model.iteration_indptr.pop()],
  ['count-differs', 'iterations that go back', put(`${booster}.model.iteration_indptr.1`, 5)],
  ['field-missing', 'no left children', drop('tree.left_children')],
  ['field-missing', 'no hessians', drop('tree.sum_hessian')],
  ['child-shared', 'a root that is its own child', children(0, 0, 1)],
  ['child-shared', 'a cycle further down', children(1, 1, 2)],
  ['child-shared', 'two parents of one node', children(2, 3, 4)],
  ['child-out-of-range', 'a child beyond the end', children(0, 1000, 1001)],
  ['child-out-of-range', 'a child before the beginning', children(0, -7, -6)],
  ['child-out-of-range', 'a child that no int32 holds', children(0, 1e12, 1e12)],
  ['child-missing', 'a split without a right child', children(0, 1, -1)],
  ['child-missing', 'a split without a left child', children(0, -1, 2)],
  ['child-order', 'children that are not side by side', children(0, 2, 1)],
  ['wrong-type', 'a child that is half a node', children(0, 1.5, 2.5)],
  ['feature-out-of-range', 'a feature beyond the model', put('tree.split_indices.0', 5)],
  ['feature-out-of-range', 'a negative feature', put('tree.split_indices.0', -1)],
  ['wrong-type', 'default_left of 2', put('tree.default_left.0', 2)],
  ['group-out-of-range', 'a tree of another group', put(`${booster}.model.tree_info.0`, 1)],
  ['group-out-of-range', 'a tree of group -1', put(`${booster}.model.tree_info.0`, -1)],
]

function children(node: number, left: number, right: number): Change {
  return both(put(`tree.left_children.${node}`, left), put(`tree.right_children.${node}`, right))
}

describe('readXgboostModel() refuses', () => {
  test.each(contentChanges)('with %s: %s', (reason, _, change) => {
    const file = changed('binary.json', change)
    const asJson = refusalOf(encoder.encode(JSON.stringify(file)))
    expect(asJson.reason).toBe(reason)
    expect(refusalOf(writeUbjson(file)).reason).toBe(reason)
    expect(asJson.message.length).toBeLessThan(1000)
  })

  const otherChanges: readonly (readonly [ModelFileReason, string, string, Change])[] = [
    ['count-differs', 'more weights than trees', 'dart', (file) => file.learner.gradient_booster.weight_drop.push(1)],
    ['field-missing', 'a dart without its trees', 'dart', drop(`${booster}.gbtree.model`)],
    ['count-differs', 'too few linear weights', 'linear', (file) => file.learner.gradient_booster.model.weights.pop()],
    ['field-missing', 'no linear weights', 'linear', drop(`${booster}.model.weights`)],
    ['category-invalid', 'a negative category', 'categorical', put('tree.categories.0', -1)],
    ['category-invalid', 'a category of 2^24', 'categorical', put('tree.categories.0', 16_777_216)],
    ['category-invalid', 'categories beyond the end', 'categorical', put('tree.categories_sizes.0', 1e6)],
    ['category-invalid', 'a set of no category', 'categorical', put('tree.categories_sizes.0', 0)],
    ['category-invalid', 'nodes out of order', 'categorical', (_, tree) => tree.categories_nodes.reverse()],
    ['count-differs', 'fewer sets than nodes', 'categorical', (_, tree) => tree.categories_sizes.pop()],
    ['count-differs', 'vectors of another size', 'targets-vector-leaf', put('tree.tree_param.size_leaf_vector', '2')],
    [
      'child-out-of-range',
      'a leaf without its vector',
      'targets-vector-leaf',
      (_, tree) => tree.leaf_weights.splice(3),
    ],
    [
      'count-differs',
      'base weights of another size',
      'targets-vector-leaf',
      both(drop('tree.leaf_weights'), (_, tree) => tree.base_weights.pop()),
    ],
    [
      'field-missing',
      'vectors that are nowhere',
      'targets-vector-leaf',
      both(drop('tree.leaf_weights'), drop('tree.base_weights')),
    ],
  ]
  test.each(otherChanges)('with %s: %s', (reason, _, name, change) => {
    const file = changed(`${name}.json`, change)
    expect(refusalOf(encoder.encode(JSON.stringify(file))).reason).toBe(reason)
    expect(refusalOf(writeUbjson(file)).reason).toBe(reason)
  })

  const replaced = (name: string, from: RegExp, to: string): Uint8Array => {
    const text = new TextDecoder().decode(fixture(name))
    expect(text).toMatch(from)
    return encoder.encode(text.replace(from, to))
  }
  test('numbers that decide nothing or everything', () => {
    expect(refusalOf(replaced('binary.json', /"split_conditions":\[[^,]*/, '"split_conditions":[NaN')).reason).toBe(
      'threshold-not-a-number',
    )
    expect(
      refusalOf(replaced('binary.json', /"split_conditions":\[(.*?),[^,]*?\]/, '"split_conditions":[$1,Infinity]'))
        .reason,
    ).toBe('leaf-not-finite')
    expect(refusalOf(replaced('dart.json', /"weight_drop":\[[^,]*/, '"weight_drop":[NaN')).reason).toBe(
      'number-out-of-range',
    )
    expect(refusalOf(replaced('linear.json', /"weights":\[[^,]*/, '"weights":[-Infinity')).reason).toBe(
      'number-out-of-range',
    )
  })

  test('a field that comes twice', () => {
    expect(refusalOf(replaced('binary.json', /"version":/, '"version":[3,2,0],"version":')).reason).toBe('field-twice')
  })

  const foreign: readonly (readonly [ModelFileReason, string, (string | readonly number[])[]])[] = [
    ['empty', 'nothing', []],
    ['gzip', 'gzip', [[0x1f, 0x8b, 8, 0]]],
    ['zip', 'zip', ['PK\u0003\u0004']],
    ['pickle', 'a pickle', [[0x80, 4, 0x95]]],
    ['onnx', 'ONNX', [[8, 8, 0x12, 11], 'onnxmltools']],
    ['markup', 'HTML', ['<!doctype html>']],
    ['lightgbm', 'LightGBM', ['tree\nversion=v4\n']],
    ['catboost', 'CatBoost', ['CBM1', [0, 0]]],
    ['xgboost-text-dump', 'a dump as text', ['booster[0]:\n0:[f0<1]']],
    ['xgboost-text-dump', 'a dump as JSON', ['[{"nodeid":0}]']],
    ['xgboost-old-binary', 'the old binary format', [[0, 0, 0, 0x3f], 'binary:logistic', [6, 0], 'gbtree']],
    ['model-package', 'a package', ['MWMODEL1']],
    ['not-a-model-file', 'noise', [[1, 2, 3, 4]]],
    ['not-a-model-file', 'a byte order mark', [[0xef, 0xbb, 0xbf], '{}']],
    ['not-xgboost', 'an empty object', ['{}']],
    ['trailing-bytes', 'a second document', ['{}{}']],
  ]
  test.each(foreign)('what is foreign with %s: %s', (reason, _, parts) => {
    const bytes = parts.flatMap((part) => (typeof part === 'string' ? [...encoder.encode(part)] : part))
    expect(refusalOf(Uint8Array.from(bytes)).reason).toBe(reason)
  })

  test('a file beyond the limit without looking at it', () => {
    const huge = { length: limits.modelPackageBytesMax + 1 } as Uint8Array
    expect(refusalOf(huge).reason).toBe('too-large')
  })

  test('a tree deeper than the limit', () => {
    const file = changed('binary.json', (_, tree) => {
      const depth = limits.treeDepthMax + 1
      const count = 2 * depth + 1
      const column = (value: (node: number) => number): number[] =>
        Array.from({ length: count }, (_, node) => value(node))
      tree.left_children = column((node) => (node % 2 === 0 && node < 2 * depth ? node + 1 : -1))
      tree.right_children = column((node) => (node % 2 === 0 && node < 2 * depth ? node + 2 : -1))
      for (const name of ['split_indices', 'split_conditions', 'default_left', 'sum_hessian', 'split_type'])
        tree[name] = column(() => 0)
      tree.tree_param.num_nodes = String(count)
    })
    expect(refusalOf(encoder.encode(JSON.stringify(file))).reason).toBe('tree-too-deep')
  })

  test('category sets that would take more memory than the limit, though the file is small', () => {
    const file = changed('categorical.json', (_, tree) => {
      // Each set of one category near 2^24 is 2 MiB of bits.
      const count = 2 * 40 + 1
      const column = (value: (node: number) => number): number[] =>
        Array.from({ length: count }, (_, node) => value(node))
      const splits = column((node) => node).filter((node) => node % 2 === 0 && node < count - 1)
      tree.left_children = column((node) => (node % 2 === 0 && node < count - 1 ? node + 1 : -1))
      tree.right_children = column((node) => (node % 2 === 0 && node < count - 1 ? node + 2 : -1))
      for (const name of ['split_indices', 'split_conditions', 'default_left', 'sum_hessian'])
        tree[name] = column(() => 0)
      tree.split_type = column((node) => (node % 2 === 0 && node < count - 1 ? 1 : 0))
      tree.categories_nodes = splits
      tree.categories_segments = splits.map((_, i) => i)
      tree.categories_sizes = splits.map(() => 1)
      tree.categories = splits.map(() => 16_777_215)
      tree.tree_param.num_nodes = String(count)
    })
    expect(refusalOf(encoder.encode(JSON.stringify(file))).reason).toBe('too-many')
  })

  test('and says where: the path of the field and the byte', () => {
    const file = changed('binary.json', (file) => {
      file.learner.gradient_booster.model.trees[2].left_children[0] = 'one'
    })
    const error = refusalOf(encoder.encode(JSON.stringify(file)))
    expect(error.details).toMatchObject({
      reason: 'wrong-type',
      where: 'learner.gradient_booster.model.trees[2].left_children',
    })
    expect(error.details['offsetBytes']).toBeGreaterThan(100)
    expect(error.message).toMatch(/^Cannot read the model at learner\..*, byte \d+: found string, wanted number$/)
  })
})

test('readXgboostModel() refuses every cut-off file, in both formats', () => {
  for (const name of ['binary.json', 'binary.ubj']) {
    const whole = fixture(name)
    expect(() => readXgboostModel(whole)).not.toThrow()
    for (let length = 0; length < whole.length; length += 7)
      expect(refusalOf(whole.subarray(0, length)).reason).toMatch(/^(truncated|length-beyond-file|empty)$/)
  }
})

test('readXgboostModel() reads the same model from both formats', () => {
  for (const name of ['binary', 'dart', 'categorical', 'targets-vector-leaf', 'linear', 'binary-named'])
    expect(readXgboostModel(fixture(`${name}.json`))).toEqual(readXgboostModel(fixture(`${name}.ubj`)))
})

test('readXgboostModel() leaves out nodes that pruning deleted', () => {
  const model = readXgboostModel(fixture('binary-exact-pruned.json')) as TreeModel
  const file = JSON.parse(new TextDecoder().decode(fixture('binary-exact-pruned.json'))) as Json
  const trees = file.learner.gradient_booster.model.trees as Json[]
  const deleted = trees.reduce((sum, tree) => sum + Number(tree.tree_param.num_deleted), 0)
  expect(deleted).toBeGreaterThan(0)
  expect(model.forest.left.length).toBe(trees.reduce((sum, tree) => sum + tree.left_children.length, 0) - deleted)
})

describe('fuzzing', () => {
  const names = ['binary', 'dart', 'categorical', 'softprob', 'targets-vector-leaf', 'linear', 'binary-named']
  const files = names.flatMap((name) => [`${name}.json`, `${name}.ubj`])
  /** Far above what files of 12 KB need, far below what a lie about a length could ask for. */
  const memoryBytesMax = 8 * 1024 * 1024
  const interesting = [0, 1, 0x22, 0x2d, 0x30, 0x39, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x23, 0x24, 0x4c, 0x7f, 0x80, 0xff]

  const mutation = fc.record({
    kind: fc.constantFrom('set', 'interesting', 'insert', 'remove', 'copy', 'huge'),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    from: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    byte: fc.nat(255),
    length: fc.nat(40),
  })

  function mutate(bytes: Uint8Array, change: typeof mutation extends fc.Arbitrary<infer T> ? T : never): Uint8Array {
    const at = Math.floor(change.at * bytes.length)
    const from = Math.floor(change.from * bytes.length)
    const copy = Uint8Array.from(bytes)
    if (change.kind === 'set') copy[at] = change.byte
    else if (change.kind === 'interesting') copy[at] = interesting[change.byte % interesting.length] as number
    else if (change.kind === 'huge') copy.set([0x7f, 0xff, 0xff, 0xff].slice(0, copy.length - at), at)
    else if (change.kind === 'copy') copy.copyWithin(at, from, from + change.length)
    else if (change.kind === 'remove')
      return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at + change.length)])
    else
      return Uint8Array.from([
        ...copy.subarray(0, at),
        ...copy.subarray(from, from + change.length),
        ...copy.subarray(at),
      ])
    return copy
  }

  test('readXgboostModel() takes or refuses whatever becomes of a real file; what it takes can be scored', () => {
    let taken = 0
    const reasons = new Set<string>()
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(mutation, { minLength: 1, maxLength: 4 }), (name, changes) => {
        const bytes = changes.reduce(mutate, fixture(name))
        const before = process.memoryUsage().arrayBuffers
        try {
          const scorer = compileScorer(readXgboostModel(bytes))
          expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(memoryBytesMax)
          const row = new Float32Array(scorer.featureCount).fill(Number.NaN)
          scorer.predict(row, 1, new Float32Array(scorer.groupCount))
          if (scorer.canExplain) scorer.contributions(row)
          taken += 1
        } catch (error) {
          if (!(error instanceof ModelFileError)) throw error
          reasons.add(error.reason)
          expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(memoryBytesMax)
        }
      }),
      { seed: 20_260_101, numRuns: 3000 },
    )
    // Both outcomes must have been met, or the mutations are too mild or too wild to show anything.
    expect(taken).toBeGreaterThan(100)
    expect(reasons.size).toBeGreaterThan(8)
  })
})
