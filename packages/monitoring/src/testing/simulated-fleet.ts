import type { AlertSignal } from '@millwright/core'
import type { BaselineHistogram, DriftReference } from '../drift/drift-reference.ts'
import { dayMs, seeded, startMs } from './random-plant.ts'

export const windowMs = 300_000
export const windowsPerDay = dayMs / windowMs
const model = { name: 'failure', version: '1' }

/** A change of one feature from a day on, in standard deviations of the fleet, or as a factor of its noise. */
export interface SeededDrift {
  readonly fromDay: number
  readonly shift: number
  readonly noiseFactor: number
  /** Machines that drift: the first so many. */
  readonly machines: number
}

export interface FleetOptions {
  readonly seed: number
  readonly machines: number
  readonly days: number
  /** How alike a machine's neighbouring windows are, 0..1. */
  readonly correlation: number
  readonly drift?: SeededDrift
}

/**
 * Windows of machines that differ from each other all their lives (by as much as each varies), with a daily swing and
 * slow noise: in order of time, then of machine. Feature `a` may drift; `b` and `c` never do.
 */
export function* simulatedFleet({ seed, machines, days, correlation, drift }: FleetOptions): Generator<AlertSignal> {
  const random = seeded(seed)
  const normal = (): number => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += random()
    return sum
  }
  const fleet = Array.from({ length: machines }, () => ({
    offsets: [normal(), normal(), normal()],
    noise: [normal(), normal(), normal()],
    phase: random(),
  }))
  const fresh = Math.sqrt(1 - correlation * correlation)
  for (let window = 1; window <= days * windowsPerDay; window++)
    for (const [index, machine] of fleet.entries()) {
      const dayShare = (window / windowsPerDay + machine.phase) % 1
      const swing = Math.abs(dayShare - 0.5) * 2 - 0.5
      machine.noise = machine.noise.map((value) => correlation * value + fresh * normal())
      const drifts = drift !== undefined && index < drift.machines && window > drift.fromDay * windowsPerDay
      const [a = 0, b = 0, c = 0] = machine.noise.map((noise, feature) => {
        const own = feature === 0 && drifts ? noise * drift.noiseFactor + drift.shift : noise
        return (machine.offsets[feature] as number) + swing + own
      })
      // A model that looks at a and a little at b.
      const score = 0.12 + 0.04 * a + 0.01 * b
      const probability = Math.fround(Math.min(0.999, Math.max(0.001, score)))
      yield {
        deviceId: `m${index}`,
        probability,
        status: probability > 0.8 ? 'High risk of failure' : 'Normal',
        windowStart: startMs + (window - 1) * windowMs,
        windowEnd: startMs + window * windowMs,
        revision: 0,
        model,
        features: { a, b, c },
      }
    }
}

/** The baseline of a package trained on these windows: ten bins of about equal numbers. */
export function referenceOf(
  signals: Iterable<AlertSignal>,
  importances: readonly (number | null)[] = [null, null, null],
): DriftReference {
  const columns: number[][] = [[], [], [], []]
  for (const { features, probability } of signals) {
    for (const [i, name] of ['a', 'b', 'c'].entries()) columns[i]?.push(Math.fround(features[name] ?? Number.NaN))
    columns[3]?.push(probability)
  }
  const [a, b, c, probability] = columns.map(histogramOf) as [
    BaselineHistogram,
    BaselineHistogram,
    BaselineHistogram,
    BaselineHistogram,
  ]
  return {
    model,
    features: [a, b, c].map((baseline, i) => ({
      name: ['a', 'b', 'c'][i] as string,
      baseline,
      importance: importances[i] ?? null,
    })),
    probability,
  }
}

export function histogramOf(values: readonly number[]): BaselineHistogram {
  const sorted = [...values].sort((a, b) => a - b)
  const edges = [
    ...new Set(Array.from({ length: 9 }, (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / 10)] as number)),
  ].filter((edge) => edge > (sorted[0] as number))
  const counts = new Array<number>(edges.length + 1).fill(0)
  for (const value of sorted) {
    const bin = edges.filter((edge) => value >= edge).length
    counts[bin] = (counts[bin] as number) + 1
  }
  return { edges, counts, missing: 0, min: sorted[0] ?? null, max: sorted.at(-1) ?? null }
}
