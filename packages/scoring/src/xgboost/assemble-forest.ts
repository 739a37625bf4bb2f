import type { Forest } from '@millwright/kernels'
import type { CheckedTree } from './read-tree.ts'

/** Puts trees one after another into the columns of a forest; numbers of nodes, sets and vectors are moved accordingly. */
export function assembleForest(
  trees: readonly CheckedTree[],
  shape: { readonly featureCount: number; readonly groupCount: number; readonly groups: Int32Array },
): { readonly forest: Forest; readonly cover: Float32Array | null } {
  const nodeCount = trees.reduce((sum, tree) => sum + tree.left.length, 0)
  const vectors = trees.some((tree) => tree.leafVectors !== null)
  const categorical = trees.some((tree) => tree.setOfNode !== null)
  const roots = new Int32Array(trees.length)
  const left = new Int32Array(nodeCount)
  const right = new Int32Array(nodeCount)
  const feature = new Int32Array(nodeCount)
  const defaultLeft = new Uint8Array(nodeCount)
  const value = new Float32Array(nodeCount)
  const cover = vectors ? null : new Float32Array(nodeCount)
  const setOfNode = categorical ? new Int32Array(nodeCount).fill(-1) : null
  const sets: Uint32Array[] = []
  const leafVectors: Float32Array[] = []
  let firstNode = 0
  let firstVector = 0
  trees.forEach((tree, index) => {
    roots[index] = firstNode
    const firstSet = sets.length
    for (let i = 0; i < tree.left.length; i++) {
      const isLeaf = tree.left[i] === -1
      left[firstNode + i] = isLeaf ? -1 : (tree.left[i] as number) + firstNode
      if (isLeaf) right[firstNode + i] = tree.leafVectors === null ? -1 : (tree.right[i] as number) + firstVector
      else right[firstNode + i] = (tree.right[i] as number) + firstNode
      const set = tree.setOfNode?.[i] ?? -1
      if (setOfNode !== null && set >= 0) setOfNode[firstNode + i] = set + firstSet
    }
    feature.set(tree.feature, firstNode)
    defaultLeft.set(tree.defaultLeft, firstNode)
    value.set(tree.value, firstNode)
    if (cover !== null && tree.cover !== null) cover.set(tree.cover, firstNode)
    for (const set of tree.sets) sets.push(set)
    if (tree.leafVectors !== null) {
      leafVectors.push(tree.leafVectors)
      firstVector += tree.leafVectors.length / tree.leafSize
    }
    firstNode += tree.left.length
  })
  const categories =
    setOfNode === null
      ? null
      : { setOfNode, start: startsOf(sets), words: joined(sets, (length) => new Uint32Array(length)) }
  return {
    forest: {
      ...shape,
      roots,
      left,
      right,
      feature,
      defaultLeft,
      value,
      categories,
      leafVectors: vectors ? joined(leafVectors, (length) => new Float32Array(length)) : null,
    },
    cover,
  }
}

function startsOf(parts: readonly { readonly length: number }[]): Int32Array {
  const starts = new Int32Array(parts.length + 1)
  parts.forEach((part, index) => {
    starts[index + 1] = (starts[index] as number) + part.length
  })
  return starts
}

function joined<Values extends Uint32Array | Float32Array>(
  parts: readonly Values[],
  make: (length: number) => Values,
): Values {
  const whole = make(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
