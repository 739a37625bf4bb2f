import { math } from '@millwright/core'
import type { CalibrationPoint } from './isotonic.ts'

/** Calibrated probability = 1 / (1 + exp(slope · log-odds + offset)); slope < 0 where the model ranks rightly. */
export interface Sigmoid {
  readonly slope: number
  readonly offset: number
}

/** Nearest to 0 and 1 that a probability is taken for: log-odds are finite. */
const edge = 1e-6
const stepsMax = 100

/** Returns ln(p / (1 − p)), p kept 1e-6 away from 0 and 1. */
export function logOdds(probability: number): number {
  const p = Math.min(1 - edge, Math.max(edge, probability))
  return math.log(p / (1 - p))
}

/**
 * Fits Platt's sigmoid over the log-odds by Newton's method with a line search, towards targets drawn in from 0 and 1 by
 * the number of labels, so that few labels give no certainties.
 *
 * Source: Platt, "Probabilistic outputs for support vector machines" (1999); the method and its stopping rule from Lin,
 * Lin and Weng, "A note on Platt's probabilistic outputs for support vector machines" (2007).
 *
 * @param points With at least one prediction that came true and one that did not.
 */
export function fitSigmoid(points: readonly CalibrationPoint[]): Sigmoid {
  const positives = points.reduce((sum, point) => sum + point.positives, 0)
  const negatives = points.reduce((sum, { count, positives: own }) => sum + count - own, 0)
  const highTarget = (positives + 1) / (positives + 2)
  const lowTarget = 1 / (negatives + 2)
  const rows = points.map((point) => ({
    odds: logOdds(point.probability),
    weight: point.count,
    target: point.positives * highTarget + (point.count - point.positives) * lowTarget,
  }))
  // −log likelihood, in the form that overflows on neither side.
  const loss = (slope: number, offset: number): number =>
    rows.reduce((sum, { odds, weight, target }) => {
      const z = slope * odds + offset
      return (
        sum +
        (z >= 0
          ? target * z + weight * math.log1p(math.exp(-z))
          : (target - weight) * z + weight * math.log1p(math.exp(z)))
      )
    }, 0)
  let slope = 0
  let offset = math.log((negatives + 1) / (positives + 1))
  let value = loss(slope, offset)
  for (let step = 0; step < stepsMax; step++) {
    let [h11, h22, h21, g1, g2] = [1e-12, 1e-12, 0, 0, 0]
    for (const { odds, weight, target } of rows) {
      const p = sigmoidOf(slope * odds + offset)
      const curvature = weight * p * (1 - p)
      h11 += odds * odds * curvature
      h22 += curvature
      h21 += odds * curvature
      const slack = target - weight * p
      g1 += odds * slack
      g2 += slack
    }
    if (Math.abs(g1) < 1e-9 && Math.abs(g2) < 1e-9) break
    const determinant = h11 * h22 - h21 * h21
    const slopeStep = -(h22 * g1 - h21 * g2) / determinant
    const offsetStep = -(-h21 * g1 + h11 * g2) / determinant
    const descent = g1 * slopeStep + g2 * offsetStep
    let length = 1
    let next = loss(slope + slopeStep, offset + offsetStep)
    while (length >= 1e-10 && !(next < value + 1e-4 * length * descent)) {
      length /= 2
      next = loss(slope + length * slopeStep, offset + length * offsetStep)
    }
    if (length < 1e-10) break
    slope += length * slopeStep
    offset += length * offsetStep
    value = next
  }
  return { slope, offset }
}

/** Reads a fitted sigmoid at a model's probability. */
export function readSigmoid({ slope, offset }: Sigmoid, probability: number): number {
  return sigmoidOf(slope * logOdds(probability) + offset)
}

/** 1 / (1 + e^z) without overflow. */
function sigmoidOf(z: number): number {
  if (z < 0) return 1 / (1 + math.exp(z))
  const e = math.exp(-z)
  return e / (1 + e)
}
