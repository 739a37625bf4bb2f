import type { MaintenanceFeedback, VerdictKind } from '@millwright/core'

/** What is kept of a verdict while it may be corrected. */
export interface StoredVerdict {
  readonly id: string
  readonly revision: number
  readonly kind: VerdictKind
  /** The span `(fromMs, toMs]` of window ends. */
  readonly fromMs: number
  readonly toMs: number
  /** The moment of failure, or the end of the span. */
  readonly failureAtMs: number
  readonly recordedAtMs: number
}

export function storedVerdict(feedback: MaintenanceFeedback): StoredVerdict {
  const { id, revision, verdict, from, to, failureAt, recordedAt } = feedback
  return {
    id,
    revision,
    kind: verdict,
    fromMs: from,
    toMs: to,
    failureAtMs: failureAt ?? to,
    recordedAtMs: recordedAt,
  }
}

/**
 * Orders records of one id: the greater replaces the smaller, 0 is the same record again. Two records of one revision are
 * somebody's mistake; the one that is greater as a text counts, so that all who read both agree.
 */
export function compareRecords(a: StoredVerdict, b: StoredVerdict): number {
  if (a.revision !== b.revision) return a.revision - b.revision
  const [textOfA, textOfB] = [contentOf(a), contentOf(b)]
  return textOfA < textOfB ? -1 : textOfA > textOfB ? 1 : 0
}

function contentOf({ kind, fromMs, toMs, failureAtMs, recordedAtMs }: StoredVerdict): string {
  return JSON.stringify([kind, fromMs, toMs, failureAtMs, recordedAtMs])
}

export function saysFailure({ kind }: StoredVerdict): boolean {
  return kind === 'failure-confirmed' || kind === 'missed-failure'
}

/** What is known of a machine over a span of window ends. */
export type Label = 'failing' | 'healthy' | 'unclear' | 'none'

export interface LabelSpan {
  readonly afterMs: number
  readonly upToMs: number
  readonly label: Label
}

/** All time of a machine on which there is no verdict, as of most. */
const unlabelled: readonly LabelSpan[] = [
  { afterMs: Number.NEGATIVE_INFINITY, upToMs: Number.POSITIVE_INFINITY, label: 'none' },
]

/**
 * Cuts all time into spans of one label. Where verdicts disagree, a failure outweighs a false alarm, and either an
 * unclear one, whatever their order.
 */
export function labelSpans(verdicts: readonly StoredVerdict[]): readonly LabelSpan[] {
  if (verdicts.length === 0) return unlabelled
  const live = verdicts.filter(({ kind }) => kind !== 'withdrawn')
  const bounds = [...new Set(live.flatMap(({ fromMs, toMs }) => [fromMs, toMs]))].sort((a, b) => a - b)
  const places = [Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY]
  const spans: LabelSpan[] = []
  for (let i = 0; i + 1 < places.length; i++) {
    const afterMs = places[i] as number
    const upToMs = places[i + 1] as number
    const over = live.filter(({ fromMs, toMs }) => fromMs <= afterMs && upToMs <= toMs)
    let label: Label = 'none'
    if (over.some(saysFailure)) label = 'failing'
    else if (over.some(({ kind }) => kind === 'false-alarm')) label = 'healthy'
    else if (over.length > 0) label = 'unclear'
    spans.push({ afterMs, upToMs, label })
  }
  return spans
}

/** One failure of a machine, however many verdicts speak of it. */
export interface Failure {
  readonly fromMs: number
  readonly toMs: number
  readonly failureAtMs: number
}

/** Joins failure verdicts whose spans overlap; the earliest moment of failure counts, so that no lead time is flattered. */
export function failuresOf(verdicts: readonly StoredVerdict[]): Failure[] {
  const failures: Failure[] = []
  for (const { fromMs, toMs, failureAtMs } of verdicts.filter(saysFailure).sort((a, b) => a.fromMs - b.fromMs)) {
    const last = failures.at(-1)
    if (last === undefined || fromMs >= last.toMs) failures.push({ fromMs, toMs, failureAtMs })
    else
      failures[failures.length - 1] = {
        fromMs: last.fromMs,
        toMs: Math.max(last.toMs, toMs),
        failureAtMs: Math.min(last.failureAtMs, failureAtMs),
      }
  }
  return failures
}
