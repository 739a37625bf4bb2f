export type Phase = 'ingestion' | 'processing' | 'snapshot' | 'retention'

/**
 * Told when the engine enters and leaves a phase of its work, in the thread that does it: for tests that kill it there.
 * `partition` is `null` where the phase is of no one partition.
 */
export type OnPhase = (phase: Phase, edge: 'begin' | 'end', partition: number | null) => void
