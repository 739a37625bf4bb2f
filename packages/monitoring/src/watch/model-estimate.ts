import { probabilityColumn } from '../drift/drift-reference.ts'
import { fitCalibration } from '../estimate/calibration.ts'
import { estimatePerformance, type PredictedGroup } from '../estimate/estimated-performance.ts'
import type { PredictionPeriods } from '../estimate/prediction-periods.ts'
import { distrust } from '../estimate/trust.ts'
import type { ModelPerformance } from '../verdicts/verdict-report.ts'
import type { ModelDrift, ModelEstimate, PredictedShare } from './watch-report.ts'

/** Periods that an estimate is about: long enough for a few failures, short enough to show a change. */
const estimatePeriodsMax = 7
/** Of the probability, in which predictions are told of. */
const tenths = 10

/**
 * Estimates how a version does, from its newest predictions, calibrated by what verdicts say of all of its own.
 *
 * @returns `null` where none of its predictions is kept.
 */
export function modelEstimate(
  { model, reliability, precision }: ModelPerformance,
  predictions: PredictionPeriods,
  drift: ModelDrift | null,
  periodMs: number,
): ModelEstimate | null {
  const starts = predictions.periodsOf(model).slice(-estimatePeriodsMax)
  const [from, last] = [starts[0], starts.at(-1)]
  if (from === undefined || last === undefined) return null
  const groups = starts.flatMap((startMs) => predictions.groupsOf(model, startMs))
  const calibration = fitCalibration(
    reliability.map(({ probability, windowCount, failingCount }) => ({
      probability,
      count: windowCount,
      positives: failingCount,
    })),
  )
  // Without a design effect, so the interval is too narrow, and report and guide say so: how alike the truths of windows in a row are,
  // nobody knows before verdicts come. The likeness of their probabilities, which drift measures, would be a guess in its place.
  const estimate = estimatePerformance(groups, calibration)
  const fleet = drift?.fleet ?? null
  const outside = fleet?.columns.flatMap(({ column, outsideShare }) =>
    column === probabilityColumn ? [] : [outsideShare],
  )
  const outsideShare = outside === undefined ? null : Math.max(0, ...outside)
  return {
    ...estimate,
    from,
    to: last + periodMs,
    calibration: calibration.kind,
    distrust: distrust(estimate.windowCount, calibration, outsideShare, estimate.precision, precision),
    predictions: sharesOf(groups),
  }
}

/** Normal windows first, then by probability. */
function sharesOf(groups: readonly PredictedGroup[]): PredictedShare[] {
  return [false, true].flatMap((high) =>
    Array.from({ length: tenths }, (_, tenth) => {
      const alike = groups.filter((group) => group.high === high && tenthOf(group.probability) === tenth)
      return { high, tenth, windowCount: alike.reduce((sum, { count }) => sum + count, 0) }
    }).filter(({ windowCount }) => windowCount > 0),
  )
}

function tenthOf(probability: number): number {
  return Math.min(tenths - 1, Math.floor(probability * tenths))
}
