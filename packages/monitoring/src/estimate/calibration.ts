import { proportion } from '../statistics/proportion.ts'
import { type CalibrationPoint, type Curve, isotonicCurve, readCurve } from './isotonic.ts'
import { fitSigmoid, readSigmoid, type Sigmoid } from './platt.ts'

/** How a model's probability becomes one that means what it says. */
export type Calibration =
  | { readonly kind: 'none' }
  | { readonly kind: 'sigmoid'; readonly sigmoid: Sigmoid; readonly low: Curve; readonly high: Curve }
  | { readonly kind: 'isotonic'; readonly curve: Curve; readonly low: Curve; readonly high: Curve }

/** Labels of the rarer kind from which a sigmoid is fitted: its two numbers need little. */
export const sigmoidLabelsMin = 10

/** Labels in all, and of the rarer kind, from which a free curve is better than a sigmoid. */
export const isotonicLabelsMin = 1000
const isotonicRareLabelsMin = 100

/**
 * Fits what the number of labels allows: nothing, Platt's sigmoid, or an isotonic curve. Beside it, a lowest and a highest
 * curve from each point's 95 % interval: how far off the calibration itself may be.
 *
 * Source of the sizes: Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning" (2005),
 * section 5: isotonic regression overfits below about 1,000 cases.
 *
 * @param points Of the package's validation data, or the reliability bands of a verdict report. Points without
 *   predictions are passed over.
 */
export function fitCalibration(points: readonly CalibrationPoint[]): Calibration {
  const known = points.filter(({ count }) => count > 0)
  const total = known.reduce((sum, { count }) => sum + count, 0)
  const positives = known.reduce((sum, point) => sum + point.positives, 0)
  const rarer = Math.min(positives, total - positives)
  if (rarer < sigmoidLabelsMin) return { kind: 'none' }
  const bounds = known.map((point) => ({ point, share: proportion(point.positives, point.count) }))
  const curve = (of: 'low' | 'high' | 'value'): Curve =>
    isotonicCurve(bounds.map(({ point, share }) => ({ x: point.probability, y: share[of] ?? 0, weight: point.count })))
  const [low, high] = [curve('low'), curve('high')]
  if (total >= isotonicLabelsMin && rarer >= isotonicRareLabelsMin)
    return { kind: 'isotonic', curve: curve('value'), low, high }
  return { kind: 'sigmoid', sigmoid: fitSigmoid(known), low, high }
}

/** The calibrated probability, and the least and greatest that the labels allow: `low <= value <= high`. */
export interface CalibratedProbability {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** @param probability What the model said, 0..1. Without a calibration it is taken at its word. */
export function calibrate(calibration: Calibration, probability: number): CalibratedProbability {
  if (calibration.kind === 'none') return { value: probability, low: probability, high: probability }
  const value =
    calibration.kind === 'isotonic'
      ? readCurve(calibration.curve, probability)
      : readSigmoid(calibration.sigmoid, probability)
  return {
    value,
    low: Math.min(value, readCurve(calibration.low, probability)),
    high: Math.max(value, readCurve(calibration.high, probability)),
  }
}
