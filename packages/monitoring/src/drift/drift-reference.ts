import { assert, limits, type ModelName } from '@millwright/core'

/** How often values fell where, in training; as a model package has it (docs/formats/model-package.md, `baseline`). */
export interface BaselineHistogram {
  /** Strictly ascending. Bin i holds values from `edges[i - 1]` up to but not `edges[i]`. */
  readonly edges: readonly number[]
  /** One more than edges. */
  readonly counts: readonly number[]
  readonly missing: number
  readonly min: number | null
  readonly max: number | null
}

export interface ReferenceFeature {
  readonly name: string
  readonly baseline: BaselineHistogram
  /** What the feature is worth to the model, in any unit, not negative; `null` where not known. */
  readonly importance: number | null
}

/** What live values are compared with: one model version's training baseline. */
export interface DriftReference {
  readonly model: ModelName
  /** In the model's order. */
  readonly features: readonly ReferenceFeature[]
  readonly probability: BaselineHistogram
}

/** One compared quantity: a feature, or the probability, which stands last. */
export interface DriftColumn {
  readonly name: string
  readonly baseline: BaselineHistogram
  /** Counts of the baseline's bins and, last, of missing values. */
  readonly baselineCounts: readonly number[]
  /** Share of the features' importance, 0..1; 1 for the probability; `null` where not known. */
  readonly weight: number | null
  /** Where most values lie, and how far apart: to bring values to one size. */
  readonly centre: number
  readonly scale: number
}

/** Name of the probability's column; no feature of a plan may be mistaken for it, since alerts name features apart. */
export const probabilityColumn = 'probability'

export function driftColumns({ features, probability }: DriftReference): DriftColumn[] {
  assert(features.length <= limits.featuresMax, 'a plant has at most featuresMax features')
  const known = features.every(({ importance }) => importance !== null)
  const total = features.reduce((sum, { importance }) => sum + (importance ?? 0), 0)
  const weightOf = (importance: number | null): number | null =>
    known && importance !== null && total > 0 ? importance / total : null
  return [
    ...features.map(({ name, baseline, importance }) => column(name, baseline, weightOf(importance))),
    column(probabilityColumn, probability, 1),
  ]
}

function column(name: string, baseline: BaselineHistogram, weight: number | null): DriftColumn {
  const { edges, counts, missing } = baseline
  assert(counts.length === edges.length + 1, 'there is one bin more than edges')
  const centre = edges[edges.length >> 1] ?? 0
  const spread = edges.length > 1 ? (edges.at(-1) as number) - (edges[0] as number) : 0
  return { name, baseline, baselineCounts: [...counts, missing], weight, centre, scale: spread > 0 ? spread : 1 }
}

/**
 * Returns how much each feature moves the margin on average over some rows, without regard to sign: its importance. The
 * golden rows of a package serve, with the model's own TreeSHAP.
 *
 * Source: Lundberg et al., "From local explanations to global understanding with explainable AI for trees" (2020).
 *
 * @param contributions One per feature and last the bias, for each row; at least one row.
 */
export function meanAbsoluteContributions(contributions: readonly ArrayLike<number>[]): number[] {
  const [first] = contributions
  assert(first !== undefined, 'importance is taken over at least one row')
  return Array.from({ length: first.length - 1 }, (_, feature) => {
    let sum = 0
    for (const row of contributions) sum += Math.abs(row[feature] as number)
    return sum / contributions.length
  })
}
