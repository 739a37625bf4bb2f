import type { Plan } from '@millwright/core'
import type { Proof } from '../support/proof.ts'
import { type PlantCalendar, PlantFleet, windowMs } from './fleet.ts'
import { PolicyFold, type Score } from './policy-fold.ts'

/** A plan under its name, and whether it has a policy beyond one threshold. */
export interface ComparedPlan {
  readonly name: string
  readonly plan: Plan
  readonly isMarked: boolean
}

export interface PolicyRow {
  readonly name: string
  readonly score: Score
  readonly casesPerMachineWeek: number
  /** The share of cases whose machine was on its way to a failure; NaN without cases. */
  readonly precision: number
}

/**
 * Folds the readings of all days under each plan, with the model of the day, and people who go and look two hours after a case is opened. Cases
 * are judged by the simulator's record. No clock: the same on every machine.
 */
export function comparePolicies(
  days: { readonly seed: number; readonly calendar: PlantCalendar; readonly model: Uint8Array },
  plans: readonly ComparedPlan[],
): PolicyRow[] {
  const fleet = new PlantFleet(days.seed, days.calendar)
  const { wear, leak } = fleet.truth
  const folds = plans.map(({ plan, isMarked }) => new PolicyFold(plan, days.model, isMarked, [...wear, leak]))
  for (let atMs = days.calendar.fromMs + windowMs; atMs <= fleet.endMs; atMs += windowMs) {
    const lines = [...fleet.takeUntil(atMs)].map(({ line }) => line)
    if (lines.length === 0) continue
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    for (const fold of folds) fold.take(bytes, atMs)
  }
  const machineWeeks = (fleet.deviceIds.length * fleet.workingDays) / 5
  return folds.map((fold, i) => {
    const score: Score = { cases: 0, right: 0, raised: 0, wears: 0, told: 0, leaks: 0, leaksTold: 0, leadMs: [] }
    fold.addTo(score)
    return {
      name: plans[i]?.name ?? '',
      score,
      casesPerMachineWeek: score.cases / machineWeeks,
      precision: score.right / score.cases,
    }
  })
}

/** The comparison as lines of a table. */
export function policyTable(rows: readonly PolicyRow[]): string[] {
  return [
    '| policy | alerts raised | cases | cases per machine and working week | precision | worn bearings told |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ name, score, casesPerMachineWeek, precision }) => {
      const { raised, cases, told, wears } = score
      return `| ${name} | ${raised} | ${cases} | ${casesPerMachineWeek.toFixed(3)} | ${precision.toFixed(2)} | ${told} of ${wears} |`
    }),
  ]
}

/** Under a policy there are fewer cases, more of them right, and no fewer failures told. */
export function checkPolicies(
  proof: Proof,
  [without, withPolicy]: readonly [PolicyRow, PolicyRow],
  caseCount: number,
): void {
  proof.check(
    withPolicy.score.cases < without.score.cases && withPolicy.precision > without.precision,
    `the same readings without the policy: ${without.score.cases} cases, ${without.casesPerMachineWeek.toFixed(3)} per machine and working week, precision ${without.precision.toFixed(2)}; with it ${withPolicy.score.cases}, ${withPolicy.casesPerMachineWeek.toFixed(3)}, ${withPolicy.precision.toFixed(2)}`,
  )
  proof.check(
    withPolicy.score.told === without.score.told && withPolicy.score.cases === caseCount,
    `with it ${withPolicy.score.told} of ${withPolicy.score.wears} worn bearings are told as without, and the cases are as many as the plant had`,
  )
}
