import { lastEndMs, type PredictionRun } from './prediction-runs.ts'

/** A stretch of high-risk windows of one model version: what a person would call one alarm. */
export interface HighEvent {
  readonly model: number
  /** Parts of runs: the windows of `run` that end in `(afterMs, upToMs]`. */
  readonly pieces: { readonly run: PredictionRun; readonly afterMs: number; readonly upToMs: number }[]
  readonly firstEndMs: number
  lastEndMs: number
}

/**
 * Joins high-risk windows to events: the next one belongs to the same event where at most `gapMs` lie between the end of
 * one and the start of the next, whatever was in between, and the model version is the same.
 *
 * @param runs Of one device, ascending.
 */
export function highEvents(runs: readonly PredictionRun[], gapMs: number): HighEvent[] {
  const events: HighEvent[] = []
  const add = (run: PredictionRun, firstEndMs: number, upToMs: number): void => {
    const last = events.at(-1)
    const piece = { run, afterMs: firstEndMs - 1, upToMs }
    if (last !== undefined && last.model === run.model && firstEndMs - run.sizeMs - last.lastEndMs <= gapMs) {
      last.pieces.push(piece)
      last.lastEndMs = upToMs
    } else events.push({ model: run.model, pieces: [piece], firstEndMs, lastEndMs: upToMs })
  }
  for (const run of runs) {
    if (!run.high) continue
    if (run.stepMs - run.sizeMs <= gapMs) add(run, run.firstEndMs, lastEndMs(run))
    else
      for (let i = 0; i < run.count; i++) {
        const endMs = run.firstEndMs + i * run.stepMs
        add(run, endMs, endMs)
      }
  }
  return events
}
