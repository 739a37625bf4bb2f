import { type AlertSignal, assert, type ModelName } from '@millwright/core'
import { ModelKeys } from '../model-keys.ts'
import type { PredictedGroup } from './estimated-performance.ts'

/**
 * Counts predictions by model version, period of event time and probability: what performance is estimated from.
 *
 * Invariants
 *
 * P1. Whole numbers only: neither the order of records nor how topics were interleaved shows.
 * P2. At most `periodsMax` periods are kept of each of 16 versions, the newest ones; what is older is counted and passed
 *     over. A version too many takes the place of the one whose newest period is oldest.
 * P3. A window counts once, as it was first scored.
 */
export interface PredictionPeriodsOptions {
  /** Tumbling, epoch-aligned; a window belongs to the period `(start, start + periodMs]` of its end. */
  readonly periodMs: number
  readonly periodsMax: number
}

/** Bins of equal width over 0..1. */
const binCount = 200
const probabilityUnits = 1_000_000
const versionsMax = 16

/** `null` stands for no period yet. Each period: its start and, ascending, `[bin · 2 + high, count, sum in millionths]`. */
export interface PredictionPeriodsState {
  readonly version: 1
  readonly options: PredictionPeriodsOptions
  readonly tooOld: number
  readonly models: readonly {
    readonly model: ModelName
    readonly periods: readonly (readonly [startMs: number, groups: readonly (readonly [number, number, number])[]])[]
  }[]
}

interface WatchedPeriods {
  readonly model: ModelName
  readonly periods: Map<number, Map<number, [number, number]>>
}

export class PredictionPeriods {
  readonly #options: PredictionPeriodsOptions
  readonly #models = new Map<string, WatchedPeriods>()
  readonly #keys = new ModelKeys()
  #tooOld = 0

  constructor(options: PredictionPeriodsOptions, state?: PredictionPeriodsState) {
    assert(options.periodMs > 0 && options.periodsMax > 0, 'there is a period')
    this.#options = options
    if (state === undefined) return
    assert(state.version === 1 && state.options.periodMs === options.periodMs, 'a state goes on with the same periods')
    this.#tooOld = state.tooOld
    for (const { model, periods } of state.models)
      this.#models.set(this.#keys.of(model), {
        model,
        periods: new Map(
          periods.map(([startMs, groups]) => [
            startMs,
            new Map(groups.map(([key, count, sum]) => [key, [count, sum] as [number, number]])),
          ]),
        ),
      })
  }

  /** Predictions of a period that was already given up. */
  get tooOld(): number {
    return this.#tooOld
  }

  alertSignal({ model, windowEnd, revision, probability, status }: AlertSignal): void {
    if (revision > 0) return
    const key = this.#keys.of(model)
    let watched = this.#models.get(key)
    if (watched === undefined) {
      if (this.#models.size >= versionsMax) this.#giveUpOldest()
      watched = { model: { name: model.name, version: model.version }, periods: new Map() }
      this.#models.set(key, watched)
    }
    const { periodMs, periodsMax } = this.#options
    const startMs = Math.floor((windowEnd - 1) / periodMs) * periodMs
    let groups = watched.periods.get(startMs)
    if (groups === undefined) {
      if (watched.periods.size >= periodsMax) {
        const oldestMs = Math.min(...watched.periods.keys())
        if (startMs < oldestMs) {
          this.#tooOld += 1
          return
        }
        watched.periods.delete(oldestMs)
      }
      groups = new Map()
      watched.periods.set(startMs, groups)
    }
    const bin = Math.min(binCount - 1, Math.floor(probability * binCount))
    const group = bin * 2 + (status === 'High risk of failure' ? 1 : 0)
    const millionths = Math.floor(probability * probabilityUnits + 0.5)
    const counted = groups.get(group)
    if (counted === undefined) groups.set(group, [1, millionths])
    else {
      counted[0] += 1
      counted[1] += millionths
    }
  }

  #giveUpOldest(): void {
    let oldest: readonly [key: string, newestMs: number] | null = null
    for (const [key, { periods }] of this.#models) {
      const newestMs = Math.max(...periods.keys())
      if (oldest === null || newestMs < oldest[1]) oldest = [key, newestMs]
    }
    if (oldest !== null) this.#models.delete(oldest[0])
  }

  /** Starts of the periods that are kept of a version, ascending. */
  periodsOf(model: ModelName): number[] {
    return [...(this.#models.get(this.#keys.of(model))?.periods.keys() ?? [])].sort((a, b) => a - b)
  }

  /**
   * What was predicted in a period, by the mean probability of each of 200 bins; none where nothing was. A calibration that
   * is steep within a bin of 0.005 is read at the bin's mean.
   */
  groupsOf(model: ModelName, periodStartMs: number): PredictedGroup[] {
    const groups = this.#models.get(this.#keys.of(model))?.periods.get(periodStartMs)
    return ascending(groups ?? new Map()).map(([key, count, sum]) => ({
      probability: sum / probabilityUnits / count,
      high: key % 2 === 1,
      count,
    }))
  }

  snapshot(): PredictionPeriodsState {
    return {
      version: 1,
      options: this.#options,
      tooOld: this.#tooOld,
      models: [...this.#models.values()].map(({ model, periods }) => ({
        model,
        periods: [...periods].map(([startMs, groups]) => [startMs, ascending(groups)] as const),
      })),
    }
  }
}

function ascending(groups: ReadonlyMap<number, readonly [number, number]>): [number, number, number][] {
  return [...groups].sort(([a], [b]) => a - b).map(([key, [count, sum]]) => [key, count, sum])
}
