import type { AlertSeverity, CaseRefusal, CaseVerdictKind } from '@millwright/core'

/** Counts since the first record; they never fall. */
export interface CaseTotals {
  /** By severity at the opening. */
  readonly opened: Readonly<Partial<Record<AlertSeverity, number>>>
  /** By what they ended with; a case that is reopened and resolved again counts twice. */
  readonly resolved: Readonly<Partial<Record<CaseVerdictKind | 'expired', number>>>
  readonly reopened: number
  readonly raisedAgain: number
  /** Cases that were opened since the alert of a resolved one went on standing; among those opened. */
  readonly followed: number
  /** Cases that somebody took (acknowledged, or resolved without), and how long that took in all, milliseconds of append time. */
  readonly taken: number
  readonly takenMsSum: number
  /** Commands that changed a case, and those that came again. */
  readonly commands: number
  readonly commandsAgain: number
  readonly commandsRefused: Readonly<Partial<Record<CaseRefusal, number>>>
  /** Alerts that opened no case, as too many devices had one. */
  readonly devicesRefused: number
}

export const noTotals: CaseTotals = {
  opened: {},
  resolved: {},
  reopened: 0,
  raisedAgain: 0,
  followed: 0,
  taken: 0,
  takenMsSum: 0,
  commands: 0,
  commandsAgain: 0,
  commandsRefused: {},
  devicesRefused: 0,
}

/** One more under `key`. */
export function counted<K extends string>(
  counts: Readonly<Partial<Record<K, number>>>,
  key: K,
): Readonly<Partial<Record<K, number>>> {
  return { ...counts, [key]: (counts[key] ?? 0) + 1 }
}
