import type { Forest } from '@millwright/kernels'
import { type LeafPath, readTreePaths, type TreeFeature } from './tree-shap-paths.ts'

/**
 * Values in all tables of one model, 4 bytes each: 64 MiB, though only those pages are touched that rows ask for.
 * 300 trees of depth 6 over 12 features take about half of it.
 */
export const tableEntriesMax = 16 * 1024 * 1024

/** States of one treelet. More make a row cheaper once they are filled, and the filling longer. Measured by bench/explain.ts. */
const treeletStatesMax = 256

/** Leaves of one treelet: a set of them is one 32-bit word. */
const treeletLeavesMax = 32

/** Leaves of a tree that is tabulated. Planning takes time and memory with the square of this; trees of depth 10 pass. */
const treeLeavesMax = 1024

/** A tree cut into treelets that together hold all its leaves. */
export interface TreePlan {
  readonly features: readonly TreeFeature[]
  readonly treelets: readonly TreeletPlan[]
}

/** Leaves side by side whose contributions are one table, indexed by what the row is to them. */
export interface TreeletPlan {
  readonly leaves: readonly LeafPath[]
  readonly slots: readonly SlotPlan[]
  /** Product of the slots' state counts. */
  readonly stateCount: number
}

/** One feature of a treelet. Cells that satisfy the conditions of the same leaves are one state. */
export interface SlotPlan {
  /** Number of the feature among those of the tree. */
  readonly position: number
  readonly stateCount: number
  /** State of each cell. */
  readonly states: readonly number[]
  /** For each cell, the leaves whose condition on this feature it satisfies, or that have none: bit i is leaf i. */
  readonly leafSets: readonly number[]
}

/**
 * Plans the tables of the first trees, in order, as long as `entriesMax` is kept; `null` for a tree that must be walked:
 * one with categorical splits, with many leaves, with too many states at a single leaf, or with covers that are not
 * positive and finite, from which XGBoost's arithmetic makes NaN in its own way.
 */
export function planTables(
  forest: Forest,
  cover: Float32Array,
  treeEnd: number,
  entriesMax: number,
): (TreePlan | null)[] {
  let entriesLeft = entriesMax
  return Array.from({ length: treeEnd }, (_, tree) => {
    const plan = planTree(forest, cover, forest.roots[tree] as number)
    if (plan === null) return null
    const entries = plan.treelets.reduce((sum, { stateCount, slots }) => sum + stateCount * slots.length, 0)
    if (entries > entriesLeft) return null
    entriesLeft -= entries
    return plan
  })
}

function planTree(forest: Forest, cover: Float32Array, root: number): TreePlan | null {
  if (!canTabulate(forest, cover, root)) return null
  const { features, leaves } = readTreePaths(forest, cover, root)
  const treelets: TreeletPlan[] = []
  let next = 0
  /** Takes the leaves below a node as one treelet where they fit, else those of each child. */
  const take = (node: number): boolean => {
    const end = next + leafCountOf(forest, node)
    const treelet = planTreelet(features, leaves.slice(next, end))
    if (treelet !== null) {
      treelets.push(treelet)
      next = end
      return true
    }
    const left = forest.left[node] as number
    return left !== -1 && take(left) && take(forest.right[node] as number)
  }
  return take(root) ? { features, treelets } : null
}

function canTabulate(forest: Forest, cover: Float32Array, root: number): boolean {
  let leafCount = 0
  const nodes = [root]
  while (nodes.length > 0) {
    const node = nodes.pop() as number
    const left = forest.left[node] as number
    if (!((cover[node] as number) > 0) || cover[node] === Number.POSITIVE_INFINITY) return false
    if (left === -1) {
      leafCount += 1
      if (leafCount > treeLeavesMax) return false
      continue
    }
    if (forest.categories !== null && (forest.categories.setOfNode[node] as number) >= 0) return false
    nodes.push(left, forest.right[node] as number)
  }
  return true
}

function leafCountOf(forest: Forest, node: number): number {
  const left = forest.left[node] as number
  return left === -1 ? 1 : leafCountOf(forest, left) + leafCountOf(forest, forest.right[node] as number)
}

/** Returns `null` where the leaves have more states than a treelet may. */
function planTreelet(features: readonly TreeFeature[], leaves: readonly LeafPath[]): TreeletPlan | null {
  if (leaves.length > treeletLeavesMax) return null
  const positions = new Set(leaves.flatMap(({ conditions }) => conditions.map(({ position }) => position)))
  const slots: SlotPlan[] = []
  let stateCount = 1
  for (const position of positions) {
    const slot = planSlot(position, (features[position] as TreeFeature).thresholds.length + 2, leaves)
    slots.push(slot)
    stateCount *= slot.stateCount
    if (stateCount > treeletStatesMax) return null
  }
  return { leaves, slots, stateCount }
}

function planSlot(position: number, cellCount: number, leaves: readonly LeafPath[]): SlotPlan {
  const leafSets = new Array<number>(cellCount).fill(0)
  leaves.forEach(({ conditions }, leaf) => {
    const cells = conditions.find((condition) => condition.position === position)?.cells
    for (let cell = 0; cell < cellCount; cell++)
      if (cells === undefined || cells[cell] === 1) leafSets[cell] = (leafSets[cell] as number) | (1 << leaf)
  })
  const stateOfSet = new Map<number, number>()
  const states = leafSets.map((set) => {
    const state = stateOfSet.get(set) ?? stateOfSet.size
    stateOfSet.set(set, state)
    return state
  })
  return { position, stateCount: stateOfSet.size, states, leafSets }
}
