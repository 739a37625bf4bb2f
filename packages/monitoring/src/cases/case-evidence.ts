import { type AlertSignal, type CaseEvidence, type CaseState, limits } from '@millwright/core'

/** A case after one more window of its alerts: the one that cleared them included. */
export function withWindow(state: CaseState, signal: AlertSignal, standing: boolean): CaseState {
  if (signal.windowEnd < state.windowEnd) return withRevision(state, signal)
  const point = pointOf(signal)
  return {
    ...state,
    ...newest(signal),
    // Whose alarm it is: a model that took its place meanwhile and finds nothing has raised none.
    model: signal.status === 'High risk of failure' ? signal.model : state.model,
    why: signal.why ?? state.why,
    to: standing ? Math.max(state.to, signal.windowEnd) : state.to,
    peak: greater(state.peak, point),
    evidence: withPoint(state.evidence, point),
  }
}

/** A case after a window that may be among its evidence was calculated again. */
export function withRevision(state: CaseState, signal: AlertSignal): CaseState {
  const point = pointOf(signal)
  if (!state.evidence.some(({ windowEnd }) => windowEnd === point.windowEnd)) return state
  return { ...state, peak: greater(state.peak, point), evidence: replaced(state.evidence, point) }
}

/** What a case holds of its newest window. */
export function newest(signal: AlertSignal): Pick<CaseState, 'model' | 'windowEnd' | 'probability' | 'features'> {
  const { model, windowEnd, probability, features } = signal
  return { model, windowEnd, probability, features }
}

export function pointOf({ windowEnd, probability }: AlertSignal): CaseEvidence {
  return { windowEnd, probability }
}

/** The first window stays, so that a long case still shows how it began; of the others the newest. */
function withPoint(evidence: readonly CaseEvidence[], point: CaseEvidence): readonly CaseEvidence[] {
  if (evidence.at(-1)?.windowEnd === point.windowEnd) return replaced(evidence, point)
  const [first = point, ...others] = [...evidence, point]
  return [first, ...others.slice(1 - limits.caseEvidenceMax)]
}

function replaced(evidence: readonly CaseEvidence[], point: CaseEvidence): readonly CaseEvidence[] {
  return evidence.map((known) => (known.windowEnd === point.windowEnd ? point : known))
}

function greater(peak: CaseEvidence, point: CaseEvidence): CaseEvidence {
  return point.probability > peak.probability ? point : peak
}
