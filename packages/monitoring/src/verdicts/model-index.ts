import type { ModelName } from '@millwright/core'
import { ModelKeys } from '../model-keys.ts'
import { probabilityBandCount } from './probability-bands.ts'
import { emptyTally, type Tally, type TallyJson, tallyFromJson, tallyToJson } from './tally.ts'

/** Probabilities are summed as whole millionths: such sums have no order. */
const probabilityUnits = 1_000_000

/** What is kept of one model version beyond single devices. */
export interface WatchedModel {
  readonly name: ModelName
  /** Of windows that no verdict can change any more. */
  readonly settled: Tally
  /** All predictions by band of probability: how many, and the sum of their probabilities in millionths. */
  readonly bandCounts: number[]
  readonly bandSums: number[]
  /** Verdicts that became a false alarm and named this version. Never falls. */
  falseAlerts: number
}

export interface WatchedModelJson {
  readonly name: ModelName
  readonly settled: TallyJson
  readonly bandCounts: readonly number[]
  readonly bandSums: readonly number[]
  readonly falseAlerts: number
}

/** Model versions by a small number, in the order in which they were met. */
export class ModelIndex {
  readonly #models: WatchedModel[]
  readonly #byKey = new Map<string, number>()
  readonly #keys = new ModelKeys()
  readonly #modelsMax: number

  constructor(modelsMax: number, stored: readonly WatchedModelJson[] = []) {
    this.#modelsMax = modelsMax
    this.#models = stored.map(({ name, settled, bandCounts, bandSums, falseAlerts }) => ({
      name,
      settled: tallyFromJson(settled),
      bandCounts: [...bandCounts],
      bandSums: [...bandSums],
      falseAlerts,
    }))
    for (const [index, { name }] of this.#models.entries()) this.#byKey.set(this.#keys.of(name), index)
  }

  get all(): readonly WatchedModel[] {
    return this.#models
  }

  at(index: number): WatchedModel {
    return this.#models[index] as WatchedModel
  }

  /** Returns the number of a version, a new one where it has none; `null` where there are `modelsMax`. */
  indexOf(model: ModelName): number | null {
    const key = this.#keys.of(model)
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    if (this.#models.length >= this.#modelsMax) return null
    const { name, version } = model
    const zeros = new Array<number>(probabilityBandCount).fill(0)
    this.#models.push({
      name: { name, version },
      settled: emptyTally(),
      bandCounts: [...zeros],
      bandSums: [...zeros],
      falseAlerts: 0,
    })
    this.#byKey.set(key, this.#models.length - 1)
    return this.#models.length - 1
  }

  countProbability(index: number, band: number, probability: number): void {
    const model = this.at(index)
    model.bandCounts[band] = (model.bandCounts[band] as number) + 1
    model.bandSums[band] = (model.bandSums[band] as number) + Math.floor(probability * probabilityUnits + 0.5)
  }

  toJson(): WatchedModelJson[] {
    return this.#models.map(({ name, settled, bandCounts, bandSums, falseAlerts }) => ({
      name,
      settled: tallyToJson(settled),
      bandCounts: [...bandCounts],
      bandSums: [...bandSums],
      falseAlerts,
    }))
  }
}

/** Mean probability of each band; `null` where no prediction was in it. */
export function bandMeans({ bandCounts, bandSums }: WatchedModel): (number | null)[] {
  return bandCounts.map((count, band) => (count === 0 ? null : (bandSums[band] as number) / probabilityUnits / count))
}
