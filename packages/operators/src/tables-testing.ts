import type { Plan } from '@millwright/core'
import { Fold } from '@millwright/kernels'
import { accumulatorLayout } from './accumulators/layout.ts'
import { Counters } from './counters.ts'
import { DeviceTable } from './device-table.ts'
import { foldOptions } from './fold-options.ts'
import { rawLayout } from './windows/raw-values.ts'
import { WindowStore } from './windows/window-store.ts'

/** The tables of a plan with nothing around them, for tests. */
export interface Tables {
  readonly fold: Fold
  readonly table: DeviceTable
  readonly counters: Counters
  readonly store: WindowStore
}

export function tablesOf(plan: Plan): Tables {
  const accumulators = accumulatorLayout(plan)
  const fold = new Fold(foldOptions(plan, accumulators))
  const table = new DeviceTable(fold)
  const counters = new Counters(plan)
  return {
    fold,
    table,
    counters,
    store: new WindowStore(fold, table, counters, { accumulators, raw: rawLayout(plan) }),
  }
}
