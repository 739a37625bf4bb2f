import { type Calibration, sigmoidLabelsMin } from './calibration.ts'

/** Why an estimate without labels is not to be believed. Permanent codes. */
export const distrustReasons = [
  'few-windows',
  'not-calibrated',
  'not-compared',
  'outside-training',
  'contradicted-by-verdicts',
] as const

export type DistrustReason = (typeof distrustReasons)[number]

/** Fewest windows of one estimate; as for drift. */
export const estimateWindowsMin = 200

/** Share of feature values outside what training saw, above which the model answers about what it never met. */
export const outsideTrainingShareMax = 0.05

/**
 * Says what speaks against an estimate; nothing where it may be believed, as far as data can show. What no data without
 * labels can show is that equal windows now end otherwise than in training (concept drift): verdicts alone do.
 *
 * @param outsideShare Share of values below the least or above the greatest of the training baseline, 0..1; the
 *   feature's where it is largest. `null`: nothing was compared with training yet, or there is no baseline.
 * @param realised Precision's interval from verdicts, `null` bounds where there are none. The watcher gives that of all the version's
 *   alarms, since the newest are not judged yet when an estimate is wanted: it says that the two are apart, not which is right.
 */
export function distrust(
  windowCount: number,
  calibration: Calibration,
  outsideShare: number | null,
  estimated: { readonly low: number | null; readonly high: number | null },
  realised: { readonly low: number | null; readonly high: number | null; readonly count: number },
): DistrustReason[] {
  const reasons: DistrustReason[] = []
  if (windowCount < estimateWindowsMin) reasons.push('few-windows')
  if (calibration.kind === 'none') reasons.push('not-calibrated')
  if (outsideShare === null) reasons.push('not-compared')
  else if (outsideShare > outsideTrainingShareMax) reasons.push('outside-training')
  if (realised.count >= sigmoidLabelsMin && apart(estimated, realised)) reasons.push('contradicted-by-verdicts')
  return reasons
}

function apart(
  a: { readonly low: number | null; readonly high: number | null },
  b: { readonly low: number | null; readonly high: number | null },
): boolean {
  if (a.low === null || a.high === null || b.low === null || b.high === null) return false
  return a.high < b.low || b.high < a.low
}
