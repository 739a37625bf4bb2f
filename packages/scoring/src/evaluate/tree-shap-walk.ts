import { type Forest, nextNode, treeDepths } from '@millwright/kernels'

/**
 * TreeSHAP of one tree by walking it, at any depth: the path that all explanations can fall back on.
 *
 * The arithmetic is XGBoost's: float32 after each operation, in its order, so that results agree far below the promised
 * 1e-5 even where the sums are ill-conditioned.
 * Source: Lundberg, Erion, Lee, "Consistent Individualized Feature Attribution for Tree Ensembles", 2018, algorithm 2;
 * dmlc/xgboost 3.2 `src/predictor/treeshap.cc`.
 *
 * S1 The path of a node at depth d holds at most d + 2 elements, and begins behind those of the nodes above it.
 * S2 `pathWeight[i]` is the share of the permutations in which i features of the path come before the feature in question.
 */
export class TreeShapWalk {
  readonly #forest: Forest
  readonly #cover: Float32Array
  /** Where contributions of the tree being walked go. */
  #ofTree: Float32Array

  // The path, one element per distinct feature on the way down (S1).
  readonly #pathFeature: Int32Array
  readonly #zeroFraction: Float32Array
  readonly #oneFraction: Float32Array
  readonly #pathWeight: Float32Array

  /** @param cover Sum of hessians of each node. */
  constructor(forest: Forest, cover: Float32Array) {
    this.#forest = forest
    this.#cover = cover
    this.#ofTree = new Float32Array(0)
    const depthMax = treeDepths(forest).reduce((max, depth) => Math.max(max, depth), 0)
    const elementCount = ((depthMax + 3) * (depthMax + 4)) / 2
    this.#pathFeature = new Int32Array(elementCount)
    this.#zeroFraction = new Float32Array(elementCount)
    this.#oneFraction = new Float32Array(elementCount)
    this.#pathWeight = new Float32Array(elementCount)
  }

  /**
   * Adds to `ofTree` what each feature contributes to the leaf that one tree gives one row, before any weight of the tree.
   *
   * @param row One value per feature; NaN is missing.
   * @param ofTree One value per feature, or more.
   */
  addTree(tree: number, row: Float32Array, ofTree: Float32Array): void {
    this.#ofTree = ofTree
    this.#walk(row, this.#forest.roots[tree] as number, 0, 0, 1, 1, -1)
  }

  /**
   * Goes down both branches, the one that the row takes ("hot") and the other, with the path so far extended by the
   * feature that led here.
   *
   * @param parentStart Where the parent's path begins.
   * @param length Elements of the path before it is extended.
   */
  #walk(
    row: Float32Array,
    node: number,
    parentStart: number,
    length: number,
    zeroFraction: number,
    oneFraction: number,
    feature: number,
  ): void {
    const forest = this.#forest
    const start = parentStart + length
    for (let i = 0; i < length; i++) this.#copyElement(parentStart + i, start + i)
    this.#extend(start, length, zeroFraction, oneFraction, feature)
    if (forest.left[node] === -1) {
      this.#addLeaf(start, length, forest.value[node] as number)
      return
    }
    const hot = nextNode(forest, node, row, 0)
    const left = forest.left[node] as number
    const cold = hot === left ? (forest.right[node] as number) : left
    const cover = this.#cover[node] as number
    const hotShare = Math.fround((this.#cover[hot] as number) / cover)
    const coldShare = Math.fround((this.#cover[cold] as number) / cover)
    const split = forest.feature[node] as number
    let zeroSoFar = 1
    let oneSoFar = 1
    let next = length + 1
    // A feature met before is taken out of the path, and comes back with both shares multiplied.
    for (let i = 1; i <= length; i++) {
      if (this.#pathFeature[start + i] !== split) continue
      zeroSoFar = this.#zeroFraction[start + i] as number
      oneSoFar = this.#oneFraction[start + i] as number
      this.#unwind(start, length, i)
      next = length
      break
    }
    this.#walk(row, hot, start, next, Math.fround(hotShare * zeroSoFar), oneSoFar, split)
    this.#walk(row, cold, start, next, Math.fround(coldShare * zeroSoFar), 0, split)
  }

  #copyElement(from: number, to: number): void {
    this.#pathFeature[to] = this.#pathFeature[from] as number
    this.#zeroFraction[to] = this.#zeroFraction[from] as number
    this.#oneFraction[to] = this.#oneFraction[from] as number
    this.#pathWeight[to] = this.#pathWeight[from] as number
  }

  /** Adds an element as number `depth` of the path and spreads the weights over one place more (S2). */
  #extend(start: number, depth: number, zeroFraction: number, oneFraction: number, feature: number): void {
    const { fround } = Math
    const weight = this.#pathWeight
    this.#pathFeature[start + depth] = feature
    this.#zeroFraction[start + depth] = zeroFraction
    this.#oneFraction[start + depth] = oneFraction
    weight[start + depth] = depth === 0 ? 1 : 0
    for (let i = start + depth - 1, k = depth - 1; k >= 0; i--, k--) {
      const own = weight[i] as number
      const ones = fround(fround(fround(oneFraction * own) * (k + 1)) / (depth + 1))
      weight[i + 1] = (weight[i + 1] as number) + ones
      weight[i] = fround(fround(zeroFraction * own) * (depth - k)) / (depth + 1)
    }
  }

  /** Undoes the extension by element `index` and closes the gap. */
  #unwind(start: number, depth: number, index: number): void {
    const { fround } = Math
    const weight = this.#pathWeight
    const one = this.#oneFraction[start + index] as number
    const zero = this.#zeroFraction[start + index] as number
    let nextOne = weight[start + depth] as number
    for (let k = depth - 1; k >= 0; k--) {
      const own = weight[start + k] as number
      if (one !== 0) {
        const restored = fround(fround(nextOne * (depth + 1)) / fround((k + 1) * one))
        weight[start + k] = restored
        nextOne = fround(own - fround(fround(fround(restored * zero) * (depth - k)) / (depth + 1)))
      } else weight[start + k] = fround(own * (depth + 1)) / fround(zero * (depth - k))
    }
    for (let i = start + index; i < start + depth; i++) {
      this.#pathFeature[i] = this.#pathFeature[i + 1] as number
      this.#zeroFraction[i] = this.#zeroFraction[i + 1] as number
      this.#oneFraction[i] = this.#oneFraction[i + 1] as number
    }
  }

  #addLeaf(start: number, depth: number, leaf: number): void {
    const { fround } = Math
    for (let i = 1; i <= depth; i++) {
      const sum = this.#unwoundSum(start, depth, i)
      const difference = fround((this.#oneFraction[start + i] as number) - (this.#zeroFraction[start + i] as number))
      const feature = this.#pathFeature[start + i] as number
      this.#ofTree[feature] = (this.#ofTree[feature] as number) + fround(fround(sum * difference) * leaf)
    }
  }

  /** Total weight of the path were element `index` taken out of it. */
  #unwoundSum(start: number, depth: number, index: number): number {
    const { fround } = Math
    const weight = this.#pathWeight
    const one = this.#oneFraction[start + index] as number
    const zero = this.#zeroFraction[start + index] as number
    let nextOne = weight[start + depth] as number
    let total = 0
    for (let k = depth - 1; k >= 0; k--) {
      const own = weight[start + k] as number
      const rest = fround((depth - k) / (depth + 1))
      if (one !== 0) {
        const restored = fround(fround(nextOne * (depth + 1)) / fround((k + 1) * one))
        total = fround(total + restored)
        nextOne = fround(own - fround(fround(restored * zero) * rest))
      } else if (zero !== 0) total = fround(total + fround(fround(own / zero) / rest))
    }
    return total
  }
}
