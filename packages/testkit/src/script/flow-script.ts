import type { Plan } from '@millwright/core'
import type { Step } from '../steps.ts'
import type { ExpectedCounter, ExpectedOutput } from './expectation.ts'
import { ExpectationParser } from './parse-expectation.ts'
import { PlanParser } from './parse-plan.ts'
import { StepParser } from './parse-step.ts'
import { ScriptError } from './script-error.ts'

/** A conformance script, read: docs/formats/conformance-script.md. */
export interface FlowScript {
  /** The comment that the script opens with. */
  readonly title: string
  readonly plan: Plan
  readonly steps: readonly Step[]
  readonly outputs: readonly ExpectedOutput[]
  readonly counters: readonly ExpectedCounter[]
}

/**
 * Reads a script.
 *
 * @throws {ScriptError} Naming the line and what is wanted there.
 */
export function parseFlowScript(text: string): FlowScript {
  const plan = new PlanParser()
  const steps = new StepParser()
  const expectations = new ExpectationParser()
  const title: string[] = []
  for (const [index, whole] of text.split('\n').entries()) {
    const number = index + 1
    if (whole.startsWith('#')) {
      if (steps.steps.length === 0 && !plan.begun) title.push(whole.replace(/^#\s*/, ''))
      continue
    }
    if (whole.trim() === '') continue
    const keyword = /^\S+/.exec(whole)?.[0] ?? ''
    const rest = whole.slice(keyword.length).trim()
    try {
      const taken =
        plan.take(keyword, rest) ||
        steps.take(keyword, rest) ||
        expectations.take(keyword, rest, number, steps.steps.length)
      if (!taken) throw new Error('a known first word')
    } catch (error) {
      throw new ScriptError(number, `"${whole}"`, error instanceof Error ? error.message : String(error))
    }
  }
  return {
    title: title.join(' '),
    plan: plan.plan(),
    steps: steps.steps,
    outputs: expectations.outputs,
    counters: expectations.counters,
  }
}
