import { LeafGame } from './tree-shap-game.ts'
import type { TreePlan } from './tree-shap-plan.ts'

/**
 * TreeSHAP by looking up: the contributions of a treelet's leaves depend on nothing but, for each feature, which of the
 * leaves' conditions it satisfies. Each such state of a treelet is calculated when a row first meets it, and kept.
 *
 * T1 A state's entry follows from the model alone: whether it was kept or is calculated now, the bits are the same.
 * T2 An entry whose first value has the bits of +0 is not filled yet; a filled one that would begin so begins with -0, which
 *    adds nothing either.
 * T3 All arrays have their size when the tables are made; a row allocates nothing.
 */
export class TreeShapTables {
  readonly treeCount: number
  readonly #has: Uint8Array

  // Tree t has the features from featureStarts[t] and the treelets from treeletStarts[t] up to the next tree's.
  readonly #featureStarts: Int32Array
  readonly #treeletStarts: Int32Array
  // Feature i has the thresholds from thresholdStarts[i] up to the next one's.
  readonly #features: Int32Array
  readonly #thresholdStarts: Int32Array
  readonly #thresholds: Float32Array
  // Treelet i has the slots from slotStarts[i], the leaves from leafStarts[i] and the entries from entryStarts[i].
  readonly #slotStarts: Int32Array
  readonly #leafStarts: Int32Array
  readonly #entryStarts: Int32Array
  // Slot i looks at the cell of feature `slotPositions[i]` of the tree; what it says of cell c stands at cellStarts[i] + c.
  readonly #slotPositions: Int32Array
  readonly #cellStarts: Int32Array
  /** How far a cell moves the entry behind that of the treelet's first state. */
  readonly #cellOffsets: Int32Array
  /** Leaves of the treelet whose condition the cell satisfies: bit i is leaf i. */
  readonly #cellLeafSets: Int32Array
  // Leaf i has the conditions from conditionStarts[i] up to the next one's.
  readonly #leafValues: Float64Array
  readonly #conditionStarts: Int32Array
  /** Slot of a condition, counted from the treelet's first. */
  readonly #conditionSlots: Uint8Array
  readonly #shares: Float64Array

  /** Contributions to one state: a value for each slot of the treelet. */
  readonly #entries: Float32Array
  readonly #entryBits: Int32Array

  // Of one row: the cell of each feature of a tree, and what the tree contributes to it.
  readonly #cells: Int32Array
  readonly #sums: Float64Array
  // Of one state.
  readonly #slotSums: Float64Array
  readonly #game: LeafGame
  readonly #gameShares: Float64Array
  readonly #gameSatisfied: Uint8Array
  readonly #gameValues: Float64Array

  /** @param plans One for each tree, in order; `null`: this tree has no tables. */
  constructor(plans: readonly (TreePlan | null)[]) {
    const features = plans.map((plan) => plan?.features ?? [])
    const treelets = plans.map((plan) => plan?.treelets ?? [])
    const slots = treelets.flat().map((treelet) => treelet.slots)
    const leaves = treelets.flat().map((treelet) => treelet.leaves)
    const conditions = treelets.flat().flatMap((treelet) =>
      treelet.leaves.map((leaf) =>
        leaf.conditions.map(({ position, share }) => ({
          slot: treelet.slots.findIndex((slot) => slot.position === position),
          share,
        })),
      ),
    )
    this.#has = Uint8Array.from(plans, (plan) => (plan === null ? 0 : 1))
    this.treeCount = this.#has.reduce((sum, has) => sum + has, 0)
    this.#featureStarts = startsOf(features)
    this.#treeletStarts = startsOf(treelets)
    this.#features = Int32Array.from(features.flat(), ({ feature }) => feature)
    this.#thresholdStarts = startsOf(features.flat().map(({ thresholds }) => thresholds))
    this.#thresholds = Float32Array.from(features.flat().flatMap(({ thresholds }) => [...thresholds]))
    this.#slotStarts = startsOf(slots)
    this.#leafStarts = startsOf(leaves)
    this.#entryStarts = startsOf(
      treelets.flat().map((treelet) => ({ length: treelet.stateCount * treelet.slots.length })),
    )
    this.#slotPositions = Int32Array.from(slots.flat(), ({ position }) => position)
    this.#cellStarts = startsOf(slots.flat().map(({ states }) => states))
    this.#cellOffsets = Int32Array.from(slots.flatMap(offsetsOfCells))
    this.#cellLeafSets = Int32Array.from(slots.flat().flatMap(({ leafSets }) => leafSets))
    this.#leafValues = Float64Array.from(leaves.flat(), ({ value }) => value)
    this.#conditionStarts = startsOf(conditions)
    this.#conditionSlots = Uint8Array.from(conditions.flat(), ({ slot }) => slot)
    this.#shares = Float64Array.from(conditions.flat(), ({ share }) => share)

    this.#entries = new Float32Array(this.#entryStarts.at(-1) as number)
    this.#entryBits = new Int32Array(this.#entries.buffer)
    this.#cells = new Int32Array(lengthMax(features))
    this.#sums = new Float64Array(lengthMax(features))
    this.#slotSums = new Float64Array(lengthMax(slots))
    const pathMax = lengthMax(conditions)
    this.#game = new LeafGame(pathMax)
    this.#gameShares = new Float64Array(pathMax)
    this.#gameSatisfied = new Uint8Array(pathMax)
    this.#gameValues = new Float64Array(pathMax)
  }

  /** Whether a tree can be looked up. */
  has(tree: number): boolean {
    return this.#has[tree] === 1
  }

  /**
   * Adds what each feature contributes to the leaf that one tree gives one row to `out[start + feature]`.
   *
   * @param row One value per feature; NaN is missing.
   * @param weight Weight of the tree.
   */
  addTree(tree: number, row: Float32Array, weight: number, out: Float32Array, start: number): void {
    // Fields are read once: the compiler would read them again at each turn of the inner loops.
    const sums = this.#sums
    const cells = this.#cells
    const entries = this.#entries
    const entryBits = this.#entryBits
    const entryStarts = this.#entryStarts
    const slotStarts = this.#slotStarts
    const slotPositions = this.#slotPositions
    const cellStarts = this.#cellStarts
    const cellOffsets = this.#cellOffsets
    const firstFeature = this.#featureStarts[tree] as number
    const featureCount = (this.#featureStarts[tree + 1] as number) - firstFeature
    this.#findCells(firstFeature, featureCount, row)
    for (let i = 0; i < featureCount; i++) sums[i] = 0
    const treeletEnd = this.#treeletStarts[tree + 1] as number
    let treelet = this.#treeletStarts[tree] as number
    let slotEnd = slotStarts[treelet] as number
    for (; treelet < treeletEnd; treelet++) {
      const firstSlot = slotEnd
      slotEnd = slotStarts[treelet + 1] as number
      let entry = entryStarts[treelet] as number
      for (let slot = firstSlot; slot < slotEnd; slot++) {
        const cell = cells[slotPositions[slot] as number] as number
        entry += cellOffsets[(cellStarts[slot] as number) + cell] as number
      }
      if (entryBits[entry] === 0) this.#fillEntry(treelet, entry)
      for (let slot = firstSlot; slot < slotEnd; slot++, entry++) {
        const position = slotPositions[slot] as number
        sums[position] = (sums[position] as number) + (entries[entry] as number)
      }
    }
    for (let i = 0; i < featureCount; i++) {
      const column = start + (this.#features[firstFeature + i] as number)
      out[column] = (out[column] as number) + Math.fround((sums[i] as number) * weight)
    }
  }

  #findCells(firstFeature: number, featureCount: number, row: Float32Array): void {
    const thresholds = this.#thresholds
    for (let i = 0; i < featureCount; i++) {
      const value = row[this.#features[firstFeature + i] as number] as number
      const first = this.#thresholdStarts[firstFeature + i] as number
      const end = this.#thresholdStarts[firstFeature + i + 1] as number
      let at = first
      if (Number.isNaN(value)) at = end + 1
      else while (at < end && value >= (thresholds[at] as number)) at++
      this.#cells[i] = at - first
    }
  }

  /** Calculates the entry of the state that the treelet is in by `#cells` (T1). */
  #fillEntry(treelet: number, entry: number): void {
    const firstSlot = this.#slotStarts[treelet] as number
    const slotCount = (this.#slotStarts[treelet + 1] as number) - firstSlot
    // A tree that is one leaf has nothing to tell.
    if (slotCount === 0) return
    const slotSums = this.#slotSums
    for (let i = 0; i < slotCount; i++) slotSums[i] = 0
    const firstLeaf = this.#leafStarts[treelet] as number
    const leafCount = (this.#leafStarts[treelet + 1] as number) - firstLeaf
    for (let i = 0; i < leafCount; i++) this.#addLeaf(firstSlot, firstLeaf + i, i)
    for (let i = 0; i < slotCount; i++) this.#entries[entry + i] = slotSums[i] as number
    if (this.#entryBits[entry] === 0) this.#entries[entry] = -0
  }

  /** @param bit Number of the leaf in its treelet. */
  #addLeaf(firstSlot: number, leaf: number, bit: number): void {
    const first = this.#conditionStarts[leaf] as number
    const count = (this.#conditionStarts[leaf + 1] as number) - first
    for (let i = 0; i < count; i++) {
      const slot = firstSlot + (this.#conditionSlots[first + i] as number)
      const cell = this.#cells[this.#slotPositions[slot] as number] as number
      const leafSet = this.#cellLeafSets[(this.#cellStarts[slot] as number) + cell] as number
      this.#gameShares[i] = this.#shares[first + i] as number
      this.#gameSatisfied[i] = (leafSet >>> bit) & 1
    }
    const value = this.#leafValues[leaf] as number
    this.#game.solve(value, count, this.#gameShares, this.#gameSatisfied, this.#gameValues)
    for (let i = 0; i < count; i++) {
      const slot = this.#conditionSlots[first + i] as number
      this.#slotSums[slot] = (this.#slotSums[slot] as number) + (this.#gameValues[i] as number)
    }
  }
}

/** Where each part begins when all stand one behind the other, and last the length of all. */
function startsOf(parts: readonly { readonly length: number }[]): Int32Array {
  const starts = new Int32Array(parts.length + 1)
  parts.forEach(({ length }, index) => {
    starts[index + 1] = (starts[index] as number) + length
  })
  return starts
}

function lengthMax(parts: readonly { readonly length: number }[]): number {
  return parts.reduce((max, { length }) => Math.max(max, length), 0)
}

/** An entry holds one value a slot, and states are numbered with the first slot's running fastest. */
function offsetsOfCells(slots: TreePlan['treelets'][number]['slots']): number[] {
  let stride = slots.length
  return slots.flatMap(({ states, stateCount }) => {
    const slotStride = stride
    stride *= stateCount
    return states.map((state) => state * slotStride)
  })
}
