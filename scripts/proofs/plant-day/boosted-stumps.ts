/**
 * Gradient boosting of trees with one split each, for the log loss, with exact splits on quantiles of the training rows: small,
 * the same on every machine, and enough for a model whose honest quality can be told. What is trained in earnest is trained by
 * XGBoost, whose file format `stumpModelFile` writes.
 *
 * Source of gain and leaf weight: T. Chen, C. Guestrin, "XGBoost: A Scalable Tree Boosting System", 2016, equations 5 to 7.
 */
import type { Stump } from '../../../packages/cli/src/models/stump-model-testing.ts'

const learningRate = 0.3
const regularisation = 1
const candidatesPerFeature = 48

/**
 * Learns stumps one after the other.
 *
 * @param rows One float32 per feature, row after row.
 * @param labels 1 where the row is positive, else 0; as many as there are rows.
 */
export function boostStumps(rows: Float32Array, labels: Uint8Array, featureCount: number, count: number): Stump[] {
  const candidates = Array.from({ length: featureCount }, (_, feature) => splitsOf(rows, feature, featureCount))
  const margins = new Float64Array(labels.length)
  const stumps: Stump[] = []
  while (stumps.length < count) {
    const gradients = Float64Array.from(margins, (margin, row) => sigmoid(margin) - (labels[row] as number))
    const hessians = Float64Array.from(margins, (margin) => sigmoid(margin) * (1 - sigmoid(margin)))
    const best = candidates
      .flatMap((splits, feature) => [bestSplit({ rows, featureCount, feature, splits, gradients, hessians })])
      .reduce((a, b) => (b.gain > a.gain ? b : a))
    stumps.push(best.stump)
    for (let row = 0; row < margins.length; row++)
      margins[row] = (margins[row] as number) + leafOf(best.stump, rows[row * featureCount + best.stump.feature])
  }
  return stumps
}

interface SplitSearch {
  readonly rows: Float32Array
  readonly featureCount: number
  readonly feature: number
  readonly splits: Float32Array
  readonly gradients: Float64Array
  readonly hessians: Float64Array
}

function bestSplit({ rows, featureCount, feature, splits, gradients, hessians }: SplitSearch) {
  // Sums of the rows between one candidate and the next.
  const gradientOf = new Float64Array(splits.length + 1)
  const hessianOf = new Float64Array(splits.length + 1)
  for (let row = 0; row < gradients.length; row++) {
    const bin = binOf(splits, rows[row * featureCount + feature] as number)
    gradientOf[bin] = (gradientOf[bin] as number) + (gradients[row] as number)
    hessianOf[bin] = (hessianOf[bin] as number) + (hessians[row] as number)
  }
  const all = { gradient: sum(gradientOf), hessian: sum(hessianOf) }
  let best = { gain: Number.NEGATIVE_INFINITY, stump: { feature, at: 0, below: 0, atOrAbove: 0 } }
  let [gradient, hessian] = [0, 0]
  for (const [i, at] of splits.entries()) {
    gradient += gradientOf[i] as number
    hessian += hessianOf[i] as number
    const [left, right] = [
      { gradient, hessian },
      { gradient: all.gradient - gradient, hessian: all.hessian - hessian },
    ]
    const gain = scoreOf(left) + scoreOf(right) - scoreOf(all)
    if (gain > best.gain)
      best = {
        gain,
        stump: { feature, at, below: Math.fround(weightOf(left)), atOrAbove: Math.fround(weightOf(right)) },
      }
  }
  return best
}

interface Sums {
  readonly gradient: number
  readonly hessian: number
}

function scoreOf({ gradient, hessian }: Sums): number {
  return gradient ** 2 / (hessian + regularisation)
}

function weightOf({ gradient, hessian }: Sums): number {
  return (-learningRate * gradient) / (hessian + regularisation)
}

/** How many candidates are at or below the value: rows of bins 0 to i are below candidate i. */
function binOf(splits: Float32Array, value: number): number {
  let [low, high] = [0, splits.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (value < (splits[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}

function splitsOf(rows: Float32Array, feature: number, featureCount: number): Float32Array {
  const column = Float32Array.from({ length: rows.length / featureCount }, (_, row) => {
    return rows[row * featureCount + feature] as number
  }).sort()
  const quantiles = Array.from({ length: candidatesPerFeature }, (_, i) => {
    return column[Math.floor(((i + 1) / (candidatesPerFeature + 1)) * column.length)] as number
  })
  return Float32Array.from(new Set(quantiles))
}

function leafOf({ at, below, atOrAbove }: Stump, value: number | undefined): number {
  return value !== undefined && value >= at ? atOrAbove : below
}

function sigmoid(margin: number): number {
  return 1 / (1 + Math.exp(-margin))
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
