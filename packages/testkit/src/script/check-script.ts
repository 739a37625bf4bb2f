import { byDeviceAndTopic } from '../compare.ts'
import type { RunResult, StepOutput } from '../steps.ts'
import type { ExpectedOutput } from './expectation.ts'
import type { FlowScript } from './flow-script.ts'

/** Largest relative difference of a number from the one that a script writes. */
const tolerance = 1e-9

/**
 * Returns everything in which a run differs from what its script says: each device's messages on each topic, in order, the step
 * that caused each (where the engine knows), no message more, and the counters at the end.
 */
export function checkScript(script: FlowScript, result: RunResult): string[] {
  const problems: string[] = []
  const came = byDeviceAndTopic(result.outputs)
  const wanted = new Map<string, ExpectedOutput[]>()
  for (const expected of script.outputs) {
    const key = `${expected.topic} of ${expected.deviceId ?? 'no device'}`
    wanted.set(key, [...(wanted.get(key) ?? []), expected])
  }
  for (const key of new Set([...wanted.keys(), ...came.keys()])) {
    const expected = wanted.get(key) ?? []
    const outputs = came.get(key) ?? []
    for (let i = 0; i < Math.max(expected.length, outputs.length); i++)
      problems.push(...compare(key, expected[i], outputs[i]))
  }
  for (const { line, name, value } of script.counters) {
    const found = result.counters[name]
    if (found !== value) problems.push(`line ${line}: ${name} is ${found ?? 'not there'}, wanted ${value}`)
  }
  return problems
}

function compare(key: string, expected: ExpectedOutput | undefined, output: StepOutput | undefined): string[] {
  if (expected === undefined) return [`not in the script, on ${key}: ${output?.line}`]
  if (output === undefined) return [`line ${expected.line}: nothing more on ${key}`]
  const problems: string[] = []
  const message: unknown = JSON.parse(output.line)
  for (const [path, value] of expected.fields) {
    const found = valueAt(message, path)
    if (!same(found, value))
      problems.push(`line ${expected.line}: ${path} is ${JSON.stringify(found)}, wanted ${JSON.stringify(value)}`)
  }
  const { step } = output
  if (step !== null && (step < expected.afterStep || step >= expected.beforeStep))
    problems.push(
      `line ${expected.line}: caused by step ${step + 1}, wanted one of ${expected.afterStep + 1} to ${expected.beforeStep}`,
    )
  return problems
}

function valueAt(message: unknown, path: string): unknown {
  // Feature names may have dots and brackets: only the first dot parts keys.
  const dot = path.indexOf('.')
  const keys = dot < 0 ? [path] : [path.slice(0, dot), path.slice(dot + 1)]
  let value = message
  for (const key of keys) value = (value as Record<string, unknown> | null | undefined)?.[key]
  return value
}

function same(found: unknown, wanted: string | number | null | undefined): boolean {
  if (typeof found !== 'number' || typeof wanted !== 'number') return found === wanted
  return Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted))
}
