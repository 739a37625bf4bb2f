import type { OutputTopic, Plan } from '@millwright/core'

/** A model that answers every window with one probability: enough to tell which model scored what, on any engine. */
export interface StepModel {
  readonly version: string
  /** 0..1; rounded to float32 by the model. */
  readonly probability: number
  /** The package's own threshold, used where the plan names none. */
  readonly threshold: number
}

/** One thing that happens to a partition. Times are epoch milliseconds on the append-time scale; NaN where a file is replayed. */
export type Step =
  | { readonly kind: 'readings'; readonly bytes: Uint8Array; readonly appendTimeMs: number }
  | { readonly kind: 'events'; readonly bytes: Uint8Array; readonly appendTimeMs: number }
  | { readonly kind: 'heartbeat'; readonly appendTimeMs: number }
  | {
      readonly kind: 'activate'
      readonly model: StepModel
      readonly activeFromMs: number
      readonly appendTimeMs: number
    }
  | { readonly kind: 'end' }

/** One message that came out. */
export interface StepOutput {
  readonly topic: OutputTopic
  readonly deviceId: string | null
  readonly line: string
  /** Index of the step that caused it; `null` where an engine cannot say. */
  readonly step: number | null
}

export interface RunResult {
  /** In the order they came out; only the order within a device and topic is promised. */
  readonly outputs: readonly StepOutput[]
  /** Metric name → value at the end. */
  readonly counters: Readonly<Record<string, number>>
}

/** Anything that runs a plan over steps. The steps of all devices form one partition. */
export interface ConformanceEngine {
  readonly name: string
  run(plan: Plan, steps: readonly Step[]): RunResult | Promise<RunResult>
}

/** Offsets that a step takes up in the log: one a line, one for what has no lines. */
export function offsetsOf(step: Step): number {
  if (step.kind !== 'readings' && step.kind !== 'events') return 1
  let lines = 0
  for (const byte of step.bytes) if (byte === 10) lines += 1
  return step.bytes.length > 0 && step.bytes.at(-1) !== 10 ? lines + 1 : lines
}
