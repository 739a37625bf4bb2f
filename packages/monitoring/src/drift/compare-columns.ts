import { benjaminiHochberg } from '../statistics/benjamini-hochberg.ts'
import { binnedKolmogorovSmirnov } from '../statistics/kolmogorov-smirnov.ts'
import { populationStability } from '../statistics/population-stability.ts'
import { binnedWasserstein } from '../statistics/wasserstein.ts'
import type { ColumnCounts } from './column-table.ts'
import type { DriftColumn } from './drift-reference.ts'

/** One column of one period against what it is compared with. */
export interface ColumnDrift {
  readonly column: string
  readonly count: number
  /** Population stability index over the baseline's bins and missing values. */
  readonly psi: number
  /** Kolmogorov–Smirnov distance over the bins, missing values above all others; 0..1. */
  readonly distance: number
  /** Of the distance, adjusted across the columns. */
  readonly pValue: number
  /** Wasserstein distance in widths of the baseline; 0 where it cannot be taken. */
  readonly wasserstein: number
  /** Share of windows where the value was missing. */
  readonly missingShare: number
  /** Share of windows whose value is below the least or above the greatest that training saw. */
  readonly outsideShare: number
  /** PSI times the column's share of the model's importance; PSI itself where that is not known. */
  readonly effect: number
  /** PSI and distance are both beyond their bounds. */
  readonly drifted: boolean
}

/** What columns are compared with: counts, extremes, and the independent values they are worth. */
export type ComparedWith = Pick<ColumnCounts, 'counts' | 'min' | 'max' | 'effective'>

export interface DriftBounds {
  /** 0.2 is the usual bound of a significant shift (Siddiqi, "Credit risk scorecards", 2006, has 0.25). */
  readonly psiMin: number
  /** Expected share of false flags among the flags of one period. */
  readonly falseDiscoveryRate: number
}

/**
 * Compares each column, adjusts the p-values across columns, and flags what is beyond both bounds: the test says that the
 * shift is no chance, PSI that it is worth a look.
 */
export function compareColumns(
  columns: readonly DriftColumn[],
  live: readonly ColumnCounts[],
  wanted: readonly ComparedWith[],
  { psiMin, falseDiscoveryRate }: DriftBounds,
): ColumnDrift[] {
  const tests = columns.map((_, i) => {
    const [now, before] = [live[i] as ColumnCounts, wanted[i] as ComparedWith]
    return binnedKolmogorovSmirnov(before.counts, now.counts, {
      expectedSize: before.effective,
      actualSize: now.effective,
    })
  })
  const pValues = benjaminiHochberg(tests.map((test) => test?.pValue ?? 1))
  return columns.map((column, i) => {
    const [now, before] = [live[i] as ColumnCounts, wanted[i] as ComparedWith]
    const psi = populationStability(before.counts, now.counts) ?? 0
    const pValue = pValues[i] as number
    const { edges } = column.baseline
    const moved = binnedWasserstein(
      { edges, counts: before.counts.slice(0, -1), min: before.min, max: before.max },
      { edges, counts: now.counts.slice(0, -1), min: now.min, max: now.max },
    )
    return {
      column: column.name,
      count: now.count,
      psi,
      distance: tests[i]?.statistic ?? 0,
      pValue,
      wasserstein: (moved ?? 0) / column.scale,
      missingShare: now.count === 0 ? 0 : (now.counts.at(-1) as number) / now.count,
      outsideShare: now.count === 0 ? 0 : now.outside / now.count,
      effect: psi * (column.weight ?? 1),
      drifted: psi >= psiMin && pValue <= falseDiscoveryRate,
    }
  })
}

/** Orders by effect on the model, then by how far values moved; equal ones stay in the model's order. */
export function byEffect(drifts: readonly ColumnDrift[]): ColumnDrift[] {
  return [...drifts].sort((a, b) => b.effect - a.effect || b.wasserstein - a.wasserstein)
}
