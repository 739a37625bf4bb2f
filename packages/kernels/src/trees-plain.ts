import type { CategorySets, Forest, TreeEvaluator } from './trees-forest.ts'

/**
 * Evaluates trees in plain TypeScript, node by node as {@link Forest} says it: the oracle of the WebAssembly kernel.
 *
 * @param baseMargins Where the sum of each group begins; `groupCount` values.
 */
export function createPlainTreeEvaluator(forest: Forest, baseMargins: Float32Array): TreeEvaluator {
  const { featureCount, groupCount, roots, groups, left, right, value, leafVectors } = forest
  return {
    margins(rows, rowCount, out) {
      for (let row = 0; row < rowCount; row++) {
        const sums = out.subarray(row * groupCount, (row + 1) * groupCount)
        sums.set(baseMargins)
        for (let tree = 0; tree < roots.length; tree++) {
          let node = roots[tree] as number
          while (left[node] !== -1) node = nextNode(forest, node, rows, row * featureCount)
          if (leafVectors === null) {
            const group = groups[tree] as number
            sums[group] = Math.fround((sums[group] as number) + (value[node] as number))
          } else {
            const vector = (right[node] as number) * groupCount
            for (let group = 0; group < groupCount; group++)
              sums[group] = Math.fround((sums[group] as number) + (leafVectors[vector + group] as number))
          }
        }
      }
    },
  }
}

/**
 * Returns the child of a split to which the row goes whose values begin at `rows[rowStart]`.
 * `node` must be a split, not a leaf.
 */
export function nextNode(forest: Forest, node: number, rows: Float32Array, rowStart: number): number {
  const value = rows[rowStart + (forest.feature[node] as number)] as number
  const set = forest.categories === null ? -1 : (forest.categories.setOfNode[node] as number)
  let goesLeft: boolean
  if (Number.isNaN(value)) goesLeft = forest.defaultLeft[node] === 1
  else if (set >= 0) goesLeft = !hasCategory(forest.categories as CategorySets, set, value)
  else goesLeft = value < (forest.value[node] as number)
  return (goesLeft ? forest.left[node] : forest.right[node]) as number
}

/** XGBoost takes a category at or beyond this for unknown: float32 cannot tell it from its neighbours. */
const categoryEnd = 16_777_216

function hasCategory(sets: CategorySets, set: number, value: number): boolean {
  if (value < 0 || value >= categoryEnd) return false
  const category = Math.trunc(value)
  const start = sets.start[set] as number
  const wordCount = (sets.start[set + 1] as number) - start
  if (category >= wordCount * 32) return false
  return (((sets.words[start + (category >> 5)] as number) >>> (category & 31)) & 1) === 1
}
