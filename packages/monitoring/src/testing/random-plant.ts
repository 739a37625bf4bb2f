import type { AlertSignal, MaintenanceFeedback } from '@millwright/core'
import type { VerdictRules } from '../verdicts/verdict-join.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs
export const startMs = 1_766_016_000_000

/** Short spans, so that a plant of weeks settles many times. */
export const shortRules: VerdictRules = {
  horizonMs: 8 * dayMs,
  presumedAfterMs: 2 * dayMs,
  eventGapMs: 2 * hourMs,
  runsPerDeviceMax: 1000,
  devicesMax: 100,
}

/** Numbers in 0..1, the same for one seed. Source: Marsaglia, "Xorshift RNGs" (2003). */
export function seeded(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x5bf03635 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
}

export function signalOf(
  deviceId: string,
  windowEnd: number,
  probability: number,
  { sizeMs = hourMs, version = '1', revision = 0, threshold = 0.8 } = {},
): AlertSignal {
  return {
    deviceId,
    probability,
    status: probability > threshold ? 'High risk of failure' : 'Normal',
    windowStart: windowEnd - sizeMs,
    windowEnd,
    revision,
    model: { name: 'failure', version },
    features: {},
  }
}

export interface RandomPlant {
  /** In the order of their devices' records; `atMs` is when they are read. */
  readonly signals: readonly { readonly atMs: number; readonly signal: AlertSignal }[]
  readonly feedback: readonly { readonly atMs: number; readonly feedback: MaintenanceFeedback }[]
}

/** Three machines over five weeks in hourly windows: alarms, gaps, revisions, a model swap, verdicts right and wrong. */
export function randomPlant(seed: number): RandomPlant {
  const random = seeded(seed)
  const pick = (count: number): number => Math.floor(random() * count)
  const signals: RandomPlant['signals'][number][] = []
  const feedback: RandomPlant['feedback'][number][] = []
  for (const deviceId of ['a', 'b', 'c']) {
    let alarmed = false
    const swapAt = startMs + pick(35) * dayMs
    for (let hour = 1; hour <= 35 * 24; hour++) {
      if (random() < 0.03) hour += pick(6)
      const windowEnd = startMs + hour * hourMs
      if (random() < (alarmed ? 0.2 : 0.03)) alarmed = !alarmed
      const version = windowEnd < swapAt ? '1' : '2'
      const probability = alarmed ? 0.81 + 0.19 * random() : random() * random() * 0.8
      signals.push({ atMs: windowEnd, signal: signalOf(deviceId, windowEnd, probability, { version }) })
      if (random() < 0.02) {
        const back = windowEnd - pick(5) * hourMs
        signals.push({ atMs: windowEnd, signal: signalOf(deviceId, back, random(), { version, revision: 1 }) })
      }
    }
    for (let i = 0; i < 14; i++) {
      const from = startMs + pick(35 * 24 * 4) * (hourMs / 4)
      const to = from + (1 + pick(60)) * (hourMs / 2)
      let recordedAt = from + pick(9 * 24) * hourMs
      const id = `v${i}`
      const kinds = ['failure-confirmed', 'missed-failure', 'false-alarm', 'unclear'] as const
      const record = (revision: number, verdict: MaintenanceFeedback['verdict'], shiftMs: number): void => {
        const failing = verdict === 'failure-confirmed' || verdict === 'missed-failure'
        const failureAt = failing && random() < 0.6 ? from + shiftMs + (1 + pick(30)) * (hourMs / 2) : null
        feedback.push({
          atMs: recordedAt,
          feedback: {
            id,
            revision,
            deviceId,
            verdict,
            from: from + shiftMs,
            to: to + shiftMs,
            failureAt,
            recordedAt: Math.max(recordedAt, from + shiftMs),
            model: { name: 'failure', version: '1' },
          },
        })
      }
      record(0, kinds[pick(4)] ?? 'unclear', 0)
      if (random() < 0.3) {
        recordedAt += pick(5 * 24) * hourMs
        record(1, random() < 0.3 ? 'withdrawn' : (kinds[pick(4)] ?? 'unclear'), (pick(5) - 2) * hourMs)
      }
    }
  }
  return { signals, feedback }
}
