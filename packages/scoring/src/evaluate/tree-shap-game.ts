/**
 * Shapley values of the game that one leaf is: a coalition of known features is worth the leaf's value times, for each
 * feature of the leaf's path, 1 or 0 where the feature is known (whether the row satisfies the path's condition on it) and
 * the share of the training rows that satisfied it where it is not.
 *
 * A coalition of k of the other m - 1 features weighs k! (m - 1 - k)! / m!. With c[k] the coefficients of the product of
 * (share + t) over the satisfied features, c[k] sums the worth of the coalitions of size k. A feature that is not satisfied
 * makes every coalition worth nothing, so that all such features get the same; one that is satisfied needs the coefficients
 * of the product without it, by division from the top: for shares up to 1 no step of it enlarges an error. All in float64.
 *
 * Source: Lundberg, Erion, Lee, "Consistent Individualized Feature Attribution for Tree Ensembles", 2018, equation 2 and
 * algorithm 2; Yang, "Fast TreeSHAP: Accelerating SHAP Value Computation for Trees", 2021, arXiv 2109.09847: for given
 * shares the contributions depend on nothing but which features are satisfied.
 */
export class LeafGame {
  /** By number of features, then by size of the coalition. */
  readonly #weights: readonly Float64Array[]
  readonly #coefficients: Float64Array

  /** @param featuresMax Features of the longest path. */
  constructor(featuresMax: number) {
    this.#weights = Array.from({ length: featuresMax + 1 }, (_, count) => coalitionWeights(count))
    this.#coefficients = new Float64Array(featuresMax + 1)
  }

  /**
   * Writes the value of each feature to `out`.
   *
   * @param leaf Value of the leaf.
   * @param count Features of the path, 0 to `featuresMax`: so many entries of the arrays count.
   * @param satisfied 1 where the row satisfies the condition, else 0.
   */
  solve(leaf: number, count: number, shares: Float64Array, satisfied: Uint8Array, out: Float64Array): void {
    const coefficients = this.#coefficients
    const weights = this.#weights[count] as Float64Array
    let satisfiedCount = 0
    let outside = leaf
    coefficients[0] = 1
    for (let i = 0; i < count; i++) {
      const share = shares[i] as number
      if (satisfied[i] === 0) {
        outside *= share
        continue
      }
      coefficients[satisfiedCount + 1] = coefficients[satisfiedCount] as number
      for (let k = satisfiedCount; k > 0; k--)
        coefficients[k] = (coefficients[k] as number) * share + (coefficients[k - 1] as number)
      coefficients[0] = (coefficients[0] as number) * share
      satisfiedCount += 1
    }
    let lost = 0
    for (let k = 0; k <= satisfiedCount && k < count; k++) lost += (coefficients[k] as number) * (weights[k] as number)
    for (let i = 0; i < count; i++) {
      const share = shares[i] as number
      if (satisfied[i] === 0) {
        out[i] = -outside * lost
        continue
      }
      let quotient = 0
      let gained = 0
      for (let k = satisfiedCount; k > 0; k--) {
        quotient = (coefficients[k] as number) - share * quotient
        gained += quotient * (weights[k - 1] as number)
      }
      out[i] = outside * (1 - share) * gained
    }
  }
}

/** k! (m - 1 - k)! / m! for k from 0 to m - 1. */
function coalitionWeights(count: number): Float64Array {
  const weights = new Float64Array(count)
  let weight = 1 / count
  for (let k = 0; k < count; k++) {
    weights[k] = weight
    weight *= (k + 1) / (count - 1 - k)
  }
  return weights
}
