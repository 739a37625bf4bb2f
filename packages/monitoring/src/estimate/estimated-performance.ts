import { z95 } from '../statistics/proportion.ts'
import { type Calibration, calibrate } from './calibration.ts'

/** Predictions alike: what the model said, and whether it was high risk. */
export interface PredictedGroup {
  /** 0..1. */
  readonly probability: number
  readonly high: boolean
  readonly count: number
}

/** One estimate with its 95 % interval, within 0..1; all `null` where it has no meaning, for example precision without an alarm. */
export interface Estimate {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
}

export interface EstimatedPerformance {
  readonly windowCount: number
  readonly highCount: number
  /** Expected numbers of windows. */
  readonly truePositive: number
  readonly falsePositive: number
  readonly trueNegative: number
  readonly falseNegative: number
  readonly accuracy: Estimate
  readonly precision: Estimate
  readonly recall: Estimate
  readonly falsePositiveRate: Estimate
  readonly f1: Estimate
}

/** Expected counts and variances of the sums of independent chances. */
interface Expected {
  /** High-risk and normal windows. */
  readonly high: number
  readonly normal: number
  /** Of each, those expected to be failing, and the variance of that number. */
  readonly highFailing: number
  readonly normalFailing: number
  readonly highVariance: number
  readonly normalVariance: number
}

type Metric = (of: Expected) => { readonly value: number; readonly variance: number } | null

/**
 * Estimates how a model does without a single label: if a probability means what it says, 100 alarms at 0.9 hold 90 true
 * ones. docs/decisions/drift-and-estimates.md says when that may be believed.
 *
 * The interval holds the chance of what windows turn out to be (delta method over independent windows, times
 * `designEffect`) and, where there is a calibration, the range that its own labels allow.
 *
 * Source: NannyML, `docs/how_it_works/performance_estimation.rst` (CBPE, expected confusion matrix); Kish, "Survey
 * sampling" (1965) for the design effect.
 *
 * @param designEffect Windows that are worth one independent one, 1 or more: windows in a row share one truth.
 */
export function estimatePerformance(
  groups: Iterable<PredictedGroup>,
  calibration: Calibration,
  { designEffect = 1 }: { readonly designEffect?: number } = {},
): EstimatedPerformance {
  const all = [...groups]
  const expected = expectedOf(all, (probability) => calibrate(calibration, probability).value)
  const least = expectedOf(all, (probability) => calibrate(calibration, probability).low)
  const most = expectedOf(all, (probability) => calibrate(calibration, probability).high)
  // Each metric rises or falls with each of the two expected numbers, so its extremes are at the corners: few failing
  // among the alarms and many among the rest is the worst recall, for example.
  const bounds = [least, most].flatMap((ofHigh) =>
    [least, most].map((ofNormal) => ({
      ...ofHigh,
      normalFailing: ofNormal.normalFailing,
      normalVariance: ofNormal.normalVariance,
    })),
  )
  const estimate = (metric: Metric): Estimate => {
    const middle = metric(expected)
    if (middle === null) return { value: null, low: null, high: null }
    let [low, high] = [1, 0]
    for (const bound of [expected, ...bounds]) {
      const found = metric(bound)
      if (found === null) continue
      const half = z95 * Math.sqrt(found.variance * designEffect)
      low = Math.min(low, found.value - half)
      high = Math.max(high, found.value + half)
    }
    return { value: middle.value, low: Math.max(0, low), high: Math.min(1, high) }
  }
  return {
    windowCount: expected.high + expected.normal,
    highCount: expected.high,
    truePositive: expected.highFailing,
    falsePositive: expected.high - expected.highFailing,
    trueNegative: expected.normal - expected.normalFailing,
    falseNegative: expected.normalFailing,
    accuracy: estimate(accuracy),
    precision: estimate(precision),
    recall: estimate(recall),
    falsePositiveRate: estimate(falsePositiveRate),
    f1: estimate(f1),
  }
}

function expectedOf(groups: readonly PredictedGroup[], chanceOf: (probability: number) => number): Expected {
  const sums = { high: 0, normal: 0, highFailing: 0, normalFailing: 0, highVariance: 0, normalVariance: 0 }
  for (const { probability, high, count } of groups) {
    const chance = chanceOf(probability)
    if (high) {
      sums.high += count
      sums.highFailing += chance * count
      sums.highVariance += chance * (1 - chance) * count
    } else {
      sums.normal += count
      sums.normalFailing += chance * count
      sums.normalVariance += chance * (1 - chance) * count
    }
  }
  return sums
}

const accuracy: Metric = ({ high, normal, highFailing, normalFailing, highVariance, normalVariance }) => {
  const windows = high + normal
  if (windows === 0) return null
  const value = (highFailing + normal - normalFailing) / windows
  return { value, variance: (highVariance + normalVariance) / (windows * windows) }
}

const precision: Metric = ({ high, highFailing, highVariance }) =>
  high === 0 ? null : { value: highFailing / high, variance: highVariance / (high * high) }

const recall: Metric = ({ highFailing, normalFailing, highVariance, normalVariance }) => {
  const failing = highFailing + normalFailing
  if (failing === 0) return null
  const square = failing * failing
  const variance =
    (normalFailing * normalFailing * highVariance + highFailing * highFailing * normalVariance) / (square * square)
  return { value: highFailing / failing, variance }
}

const falsePositiveRate: Metric = ({ high, normal, highFailing, normalFailing, highVariance, normalVariance }) => {
  const healthy = high + normal - highFailing - normalFailing
  if (healthy <= 0) return null
  const byHigh = (normal - normalFailing) / (healthy * healthy)
  const byNormal = (high - highFailing) / (healthy * healthy)
  return {
    value: (high - highFailing) / healthy,
    variance: byHigh * byHigh * highVariance + byNormal * byNormal * normalVariance,
  }
}

const f1: Metric = ({ high, highFailing, normalFailing, highVariance, normalVariance }) => {
  const whole = high + highFailing + normalFailing
  if (whole === 0) return null
  const byHigh = (2 * (high + normalFailing)) / (whole * whole)
  const byNormal = (2 * highFailing) / (whole * whole)
  return {
    value: (2 * highFailing) / whole,
    variance: byHigh * byHigh * highVariance + byNormal * byNormal * normalVariance,
  }
}
