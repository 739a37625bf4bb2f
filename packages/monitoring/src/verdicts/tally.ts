import { type HighEvent, highEvents } from './high-events.ts'
import { countUpTo, countWithin, firstEndWithin, type PredictionRun } from './prediction-runs.ts'
import { probabilityBandCount } from './probability-bands.ts'
import { failuresOf, type LabelSpan, labelSpans, type StoredVerdict } from './stored-verdict.ts'

/** Counts of one model version. Whole numbers only, so that their sum has no order. */
export interface Tally {
  /** Windows. */
  truePositive: number
  falsePositive: number
  /** Healthy by a verdict. */
  trueNegative: number
  falseNegative: number
  /** Normal windows without a verdict that are old enough to be presumed healthy. */
  presumedNegative: number
  /** Normal windows without a verdict that are not. */
  pendingNormal: number
  /** High-risk windows without a verdict. */
  unjudgedHigh: number
  unclear: number
  /** Stretches of high-risk windows, by what verdicts say of them. */
  trueEvents: number
  falseEvents: number
  unclearEvents: number
  unjudgedEvents: number
  /** Failures of machines of which at least one window was scored. */
  failuresCaught: number
  failuresMissed: number
  /** Whole minutes from the first high-risk window to the failure, and how often. */
  readonly leadMinutes: Map<number, number>
  /** Labelled and presumed windows by band of probability, and those of them that were failing. */
  readonly bandWindows: number[]
  readonly bandFailing: number[]
}

export function emptyTally(): Tally {
  return {
    truePositive: 0,
    falsePositive: 0,
    trueNegative: 0,
    falseNegative: 0,
    presumedNegative: 0,
    pendingNormal: 0,
    unjudgedHigh: 0,
    unclear: 0,
    trueEvents: 0,
    falseEvents: 0,
    unclearEvents: 0,
    unjudgedEvents: 0,
    failuresCaught: 0,
    failuresMissed: 0,
    leadMinutes: new Map(),
    bandWindows: new Array<number>(probabilityBandCount).fill(0),
    bandFailing: new Array<number>(probabilityBandCount).fill(0),
  }
}

export interface TallyRules {
  /** Normal windows that end at or before it and have no verdict are presumed healthy. */
  readonly presumeUpToMs: number
  readonly eventGapMs: number
}

/**
 * Adds what the verdicts on one device say of its predictions to the counts of the models that made them.
 *
 * @param runs Ascending.
 * @param tallyOf The counts of a model, by its index.
 */
export function tallyDevice(
  runs: readonly PredictionRun[],
  verdicts: readonly StoredVerdict[],
  rules: TallyRules,
  tallyOf: (model: number) => Tally,
): void {
  const spans = labelSpans(verdicts)
  for (const run of runs) for (const span of spans) tallyWindows(run, span, rules, tallyOf(run.model))
  for (const event of highEvents(runs, rules.eventGapMs)) tallyEvent(event, spans, tallyOf(event.model))
  if (verdicts.length > 0) tallyFailures(runs, verdicts, tallyOf)
}

function tallyWindows(run: PredictionRun, span: LabelSpan, { presumeUpToMs }: TallyRules, tally: Tally): void {
  const { afterMs, upToMs, label } = span
  const count = countWithin(run, afterMs, upToMs)
  if (count === 0) return
  switch (label) {
    case 'failing':
      if (run.high) tally.truePositive += count
      else tally.falseNegative += count
      addReliability(tally, run, count, count)
      return
    case 'healthy':
      if (run.high) tally.falsePositive += count
      else tally.trueNegative += count
      addReliability(tally, run, count, 0)
      return
    case 'unclear':
      tally.unclear += count
      return
    case 'none': {
      if (run.high) {
        tally.unjudgedHigh += count
        return
      }
      const presumed = countWithin(run, afterMs, Math.min(upToMs, presumeUpToMs))
      tally.presumedNegative += presumed
      tally.pendingNormal += count - presumed
      addReliability(tally, run, presumed, 0)
    }
  }
}

function addReliability(tally: Tally, { band }: PredictionRun, count: number, failing: number): void {
  tally.bandWindows[band] = (tally.bandWindows[band] as number) + count
  tally.bandFailing[band] = (tally.bandFailing[band] as number) + failing
}

function tallyEvent(event: HighEvent, spans: readonly LabelSpan[], tally: Tally): void {
  const has = (label: LabelSpan['label']): boolean =>
    spans.some(
      (span) =>
        span.label === label &&
        event.pieces.some(
          ({ run, afterMs, upToMs }) =>
            countWithin(run, Math.max(afterMs, span.afterMs), Math.min(upToMs, span.upToMs)) > 0,
        ),
    )
  if (has('failing')) tally.trueEvents += 1
  else if (has('healthy')) tally.falseEvents += 1
  else if (has('unclear')) tally.unclearEvents += 1
  else tally.unjudgedEvents += 1
}

function tallyFailures(
  runs: readonly PredictionRun[],
  verdicts: readonly StoredVerdict[],
  tallyOf: (model: number) => Tally,
): void {
  for (const { fromMs, toMs, failureAtMs } of failuresOf(verdicts)) {
    // Per model that scored anything in the span: the first alarm that was in time, or null.
    const firstAlarms = new Map<number, number | null>()
    for (const run of runs) {
      if (countUpTo(run, toMs) === countUpTo(run, fromMs)) continue
      const before = firstAlarms.get(run.model) ?? null
      const alarm = run.high ? firstEndWithin(run, fromMs, Math.min(toMs, failureAtMs)) : null
      firstAlarms.set(run.model, before ?? alarm)
    }
    for (const [model, alarmMs] of firstAlarms) {
      const tally = tallyOf(model)
      if (alarmMs === null) tally.failuresMissed += 1
      else {
        tally.failuresCaught += 1
        const minutes = Math.floor((failureAtMs - alarmMs) / 60_000)
        tally.leadMinutes.set(minutes, (tally.leadMinutes.get(minutes) ?? 0) + 1)
      }
    }
  }
}

/** Adds `from` to `into`. */
export function addTally(into: Tally, from: Tally): void {
  for (const name of countNames) into[name] += from[name]
  for (const [minutes, count] of from.leadMinutes)
    into.leadMinutes.set(minutes, (into.leadMinutes.get(minutes) ?? 0) + count)
  for (let band = 0; band < probabilityBandCount; band++) {
    into.bandWindows[band] = (into.bandWindows[band] as number) + (from.bandWindows[band] as number)
    into.bandFailing[band] = (into.bandFailing[band] as number) + (from.bandFailing[band] as number)
  }
}

/** The plain counts of a tally, in the order in which they are stored. */
export const countNames = [
  'truePositive',
  'falsePositive',
  'trueNegative',
  'falseNegative',
  'presumedNegative',
  'pendingNormal',
  'unjudgedHigh',
  'unclear',
  'trueEvents',
  'falseEvents',
  'unclearEvents',
  'unjudgedEvents',
  'failuresCaught',
  'failuresMissed',
] as const satisfies readonly (keyof Tally)[]

/** A tally as a snapshot stores it; the map in ascending order. */
export interface TallyJson {
  readonly counts: readonly number[]
  readonly leadMinutes: readonly (readonly [number, number])[]
  readonly bandWindows: readonly number[]
  readonly bandFailing: readonly number[]
}

export function tallyToJson(tally: Tally): TallyJson {
  return {
    counts: countNames.map((name) => tally[name]),
    leadMinutes: [...tally.leadMinutes].sort(([a], [b]) => a - b),
    bandWindows: [...tally.bandWindows],
    bandFailing: [...tally.bandFailing],
  }
}

export function tallyFromJson({ counts, leadMinutes, bandWindows, bandFailing }: TallyJson): Tally {
  const tally = { ...emptyTally(), bandWindows: [...bandWindows], bandFailing: [...bandFailing] }
  for (const [i, name] of countNames.entries()) tally[name] = counts[i] as number
  for (const [minutes, count] of leadMinutes) tally.leadMinutes.set(minutes, count)
  return tally
}
