import type { ModelName } from '@millwright/core'
import { type Median, medianOfCounts } from '../statistics/median.ts'
import { f1Score, type Proportion, proportion } from '../statistics/proportion.ts'
import { bandMeans, type WatchedModel } from './model-index.ts'
import type { Tally } from './tally.ts'

/** How often a probability came true: one band of it. */
export interface ReliabilityBand {
  /** Mean probability of all predictions in the band. */
  readonly probability: number
  /** Windows whose truth is known or presumed, and those of them that were failing. */
  readonly windowCount: number
  readonly failingCount: number
}

/**
 * What verdicts say of one model version. Windows of one machine are not independent, so intervals over windows are too
 * narrow; those over events and failures are the ones to trust.
 */
export interface ModelPerformance {
  readonly model: ModelName
  /** Windows: counts. `trueNegative` holds those presumed healthy, too. */
  readonly windows: {
    readonly truePositive: number
    readonly falsePositive: number
    readonly trueNegative: number
    readonly falseNegative: number
    readonly presumedNegative: number
    readonly pendingNormal: number
    readonly unjudgedHigh: number
    readonly unclear: number
  }
  readonly accuracy: Proportion
  readonly precision: Proportion
  readonly recall: Proportion
  readonly falsePositiveRate: Proportion
  /** The same if every high-risk window without a verdict was a false alarm: with `falsePositiveRate`, its two ends. */
  readonly falsePositiveRateAtMost: Proportion
  readonly f1: Proportion
  readonly events: {
    readonly true: number
    readonly false: number
    readonly unclear: number
    readonly unjudged: number
  }
  /** Of the judged events, those that were a failure. */
  readonly eventPrecision: Proportion
  readonly failures: { readonly caught: number; readonly missed: number }
  readonly failureRecall: Proportion
  /** From the first high-risk window in a failure's span to the failure, whole minutes. */
  readonly leadMinutes: Median
  /** Of all events, those without any verdict. */
  readonly shareWithoutVerdict: Proportion
  /** Verdicts that became a false alarm and named this version; never falls. */
  readonly falseAlertsTotal: number
  /** Ascending; bands without any prediction are left out. */
  readonly reliability: readonly ReliabilityBand[]
}

export function modelPerformance(model: WatchedModel, tally: Tally): ModelPerformance {
  const { truePositive, falsePositive, falseNegative, presumedNegative, unjudgedHigh } = tally
  const trueNegative = tally.trueNegative + presumedNegative
  const negatives = falsePositive + trueNegative
  const events = tally.trueEvents + tally.falseEvents + tally.unclearEvents + tally.unjudgedEvents
  const failures = tally.failuresCaught + tally.failuresMissed
  return {
    model: model.name,
    windows: {
      truePositive,
      falsePositive,
      trueNegative,
      falseNegative,
      presumedNegative,
      pendingNormal: tally.pendingNormal,
      unjudgedHigh,
      unclear: tally.unclear,
    },
    accuracy: proportion(truePositive + trueNegative, truePositive + falseNegative + negatives),
    precision: proportion(truePositive, truePositive + falsePositive),
    recall: proportion(truePositive, truePositive + falseNegative),
    falsePositiveRate: proportion(falsePositive, negatives),
    falsePositiveRateAtMost: proportion(falsePositive + unjudgedHigh, negatives + unjudgedHigh),
    f1: f1Score(truePositive, falsePositive, falseNegative),
    events: {
      true: tally.trueEvents,
      false: tally.falseEvents,
      unclear: tally.unclearEvents,
      unjudged: tally.unjudgedEvents,
    },
    eventPrecision: proportion(tally.trueEvents, tally.trueEvents + tally.falseEvents),
    failures: { caught: tally.failuresCaught, missed: tally.failuresMissed },
    failureRecall: proportion(tally.failuresCaught, failures),
    leadMinutes: medianOfCounts(tally.leadMinutes),
    shareWithoutVerdict: proportion(tally.unjudgedEvents, events),
    falseAlertsTotal: model.falseAlerts,
    reliability: bandMeans(model).flatMap((probability, band) =>
      probability === null
        ? []
        : [
            {
              probability,
              windowCount: tally.bandWindows[band] as number,
              failingCount: tally.bandFailing[band] as number,
            },
          ],
    ),
  }
}
