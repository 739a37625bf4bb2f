/**
 * Bands of probability in which predictions are remembered: few, so that a quiet machine stays in one for weeks, and
 * enough to see whether a probability means what it says. Ten bins are usual for that (Zadrozny and Elkan, "Obtaining
 * calibrated probability estimates from decision trees and naive Bayesian classifiers", 2001).
 */
const lowerBounds = [0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9] as const

export const probabilityBandCount = lowerBounds.length + 1

/** @param probability 0..1. A bound belongs to the band above it. */
export function probabilityBand(probability: number): number {
  let band = 0
  while (band < lowerBounds.length && probability >= (lowerBounds[band] as number)) band += 1
  return band
}
