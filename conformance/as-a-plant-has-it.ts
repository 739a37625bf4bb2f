import { type FlowScript, type RunResult, type Step, scriptDayMs } from '@millwright/testkit'

/** Later than any time in a script by more than any guard's reach. */
const appendTimesFromMs = scriptDayMs + 365 * 86_400_000

/** A script as a plant can run it, and which of what it says then holds. */
export interface PlantScript {
  readonly script: FlowScript
  /** Whether the script's own expectations hold whole: nothing was left out of it. */
  readonly isWhole: boolean
}

/**
 * Returns a script for an engine that has a log. A script with no append times gets some, a millisecond apart: late enough
 * that the future guard has nothing to say, close enough that no device falls silent. The input of a plant does not end: from
 * the first `end` on, a script is left out.
 */
export function asAPlantHasIt(script: FlowScript): PlantScript {
  const end = script.steps.findIndex(({ kind }) => kind === 'end')
  const steps = (end < 0 ? script.steps : script.steps.slice(0, end)).map(withAppendTime)
  return { script: { ...script, steps }, isWhole: end < 0 }
}

/** What a run gave before a step: only that, for scripts that were cut there. */
export function outputsBefore(result: RunResult, step: number): RunResult {
  return { ...result, outputs: result.outputs.filter((output) => output.step !== null && output.step < step) }
}

function withAppendTime(step: Step, index: number): Step {
  if (step.kind === 'end' || !Number.isNaN(step.appendTimeMs)) return step
  return { ...step, appendTimeMs: appendTimesFromMs + index }
}
