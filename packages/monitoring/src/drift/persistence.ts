/** How many of the last judged periods must have drifted. */
export interface Persistence {
  /** 1..n. */
  readonly m: number
  /** 1..30. */
  readonly n: number
}

/** The last judged periods as bits, the newest lowest, and whether an alarm stands. */
export interface PersistenceState {
  readonly bits: number
  readonly alarmed: boolean
}

export type PersistenceChange = 'raised' | 'cleared' | null

/** Takes one more judged period: raises at m of the last n, clears when none of the last n drifted. */
export function persist(
  { bits, alarmed }: PersistenceState,
  drifted: boolean,
  { m, n }: Persistence,
): PersistenceState & { readonly change: PersistenceChange } {
  const now = ((bits << 1) | (drifted ? 1 : 0)) & ((1 << n) - 1)
  let count = 0
  for (let rest = now; rest !== 0; rest &= rest - 1) count += 1
  if (!alarmed && count >= m) return { bits: now, alarmed: true, change: 'raised' }
  if (alarmed && count === 0) return { bits: now, alarmed: false, change: 'cleared' }
  return { bits: now, alarmed, change: null }
}
