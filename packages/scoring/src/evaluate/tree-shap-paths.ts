import type { Forest } from '@millwright/kernels'

/** A feature that a tree asks for, and the numbers it compares it with. */
export interface TreeFeature {
  readonly feature: number
  /** Distinct, ascending. */
  readonly thresholds: Float32Array
}

/**
 * A leaf and the way to it, with all splits on one feature merged into one condition.
 *
 * A row satisfies the condition when it takes the leaf's side at each of these splits. The *cell* of a value says all that
 * the tree sees of it: the number of the feature's thresholds that are not above the value, or one more than the number of
 * thresholds where the value is missing.
 */
export interface LeafPath {
  readonly value: number
  /** One entry per distinct feature on the way, from the root. */
  readonly conditions: readonly PathCondition[]
}

export interface PathCondition {
  /** Number of the feature among those of the tree. */
  readonly position: number
  /** Share of the training rows that went the leaf's way at the splits on this feature, above 0: by cover, multiplied. */
  readonly share: number
  /** For each cell, 1 where it satisfies the condition. */
  readonly cells: Uint8Array
}

export interface TreePaths {
  readonly features: readonly TreeFeature[]
  /** From left to right, so that the leaves below a node stand together. */
  readonly leaves: readonly LeafPath[]
}

/** Reads the paths of one numeric tree; recursion is as deep as the tree. Covers must be above 0. */
export function readTreePaths(forest: Forest, cover: Float32Array, root: number): TreePaths {
  const features = featuresOf(forest, root)
  const positions = new Map(features.map(({ feature }, position) => [feature, position]))
  const leaves: LeafPath[] = []
  const visit = (node: number, conditions: readonly PathCondition[]): void => {
    const left = forest.left[node] as number
    if (left === -1) {
      leaves.push({ value: forest.value[node] as number, conditions })
      return
    }
    const position = positions.get(forest.feature[node] as number) as number
    const { thresholds } = features[position] as TreeFeature
    const threshold = thresholds.indexOf(forest.value[node] as number)
    const missingCell = thresholds.length + 1
    for (const child of [left, forest.right[node] as number]) {
      const isLeft = child === left
      const cells = new Uint8Array(missingCell + 1)
      if (isLeft) cells.fill(1, 0, threshold + 1)
      else cells.fill(1, threshold + 1, missingCell)
      cells[missingCell] = isLeft === (forest.defaultLeft[node] === 1) ? 1 : 0
      const share = Math.fround((cover[child] as number) / (cover[node] as number))
      visit(child, withCondition(conditions, { position, share, cells }))
    }
  }
  visit(root, [])
  return { features, leaves }
}

/** Takes over the cells of `added`, which is the caller's own. */
function withCondition(conditions: readonly PathCondition[], added: PathCondition): readonly PathCondition[] {
  const index = conditions.findIndex(({ position }) => position === added.position)
  const known = conditions[index]
  if (known === undefined) return [...conditions, added]
  for (let cell = 0; cell < added.cells.length; cell++)
    added.cells[cell] = (added.cells[cell] as number) & (known.cells[cell] as number)
  return conditions.with(index, { ...added, share: known.share * added.share })
}

function featuresOf(forest: Forest, root: number): TreeFeature[] {
  const found = new Map<number, Set<number>>()
  const visit = (node: number): void => {
    const left = forest.left[node] as number
    if (left === -1) return
    const feature = forest.feature[node] as number
    const thresholds = found.get(feature) ?? new Set()
    // A set and `indexOf` both take -0 for 0, as the comparison of a split does.
    found.set(feature, thresholds.add(forest.value[node] as number))
    visit(left)
    visit(forest.right[node] as number)
  }
  visit(root)
  return [...found].map(([feature, thresholds]) => ({ feature, thresholds: Float32Array.from(thresholds).sort() }))
}
