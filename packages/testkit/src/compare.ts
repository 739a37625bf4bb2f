import type { RunResult, StepOutput } from './steps.ts'

/** Largest difference that two ways to calculate a feature may have, relative to the greater of both values and 1. */
const featureTolerance = 1e-9

/** Outputs by device and topic, each in its order: what "equal" speaks of. Dead letters of no device count as one device. */
export function byDeviceAndTopic(outputs: readonly StepOutput[]): Map<string, StepOutput[]> {
  const groups = new Map<string, StepOutput[]>()
  for (const output of outputs) {
    const key = `${output.topic} of ${output.deviceId ?? 'no device'}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [output])
    else group.push(output)
  }
  return groups
}

/**
 * Returns where two runs differ, `null` where they are equal: per device and topic the same messages as bytes.
 *
 * @param places Whether each message must also have the same cause.
 */
export function exactDifference(a: RunResult, b: RunResult, options: { readonly places: boolean }): string | null {
  return differenceOf(a, b, (x, y) => {
    if (x.line !== y.line) return `${x.line}\n  and\n${y.line}`
    return options.places && x.step !== y.step ? `${x.line}: caused by step ${x.step} and by step ${y.step}` : null
  })
}

/**
 * Returns where two runs differ in more than the last digits of features, `null` where they do not. Dead letters are compared
 * by reason and device.
 */
export function roughDifference(a: RunResult, b: RunResult): string | null {
  return differenceOf(a, b, (x, y) => {
    const difference = valueDifference(messageOf(x), messageOf(y))
    if (difference !== null) return `${difference}\n${x.line}\n  and\n${y.line}`
    return x.step === y.step ? null : `${x.line}: caused by step ${x.step} and by step ${y.step}`
  })
}

function messageOf(output: StepOutput): unknown {
  const message = JSON.parse(output.line) as Record<string, unknown>
  return output.topic === 'dead-letters' ? { reason: message['reason'], deviceId: message['deviceId'] } : message
}

function differenceOf(
  a: RunResult,
  b: RunResult,
  differ: (x: StepOutput, y: StepOutput) => string | null,
): string | null {
  const groupsA = byDeviceAndTopic(a.outputs)
  const groupsB = byDeviceAndTopic(b.outputs)
  for (const key of new Set([...groupsA.keys(), ...groupsB.keys()])) {
    const x = groupsA.get(key) ?? []
    const y = groupsB.get(key) ?? []
    for (let i = 0; i < Math.max(x.length, y.length); i++) {
      const [one, other] = [x[i], y[i]]
      if (one === undefined || other === undefined)
        return `${key}, message ${i}: ${one?.line ?? 'none'}\n  and\n${other?.line ?? 'none'}`
      const difference = differ(one, other)
      if (difference !== null) return `${key}, message ${i}: ${difference}`
    }
  }
  return null
}

function valueDifference(a: unknown, b: unknown, path = ''): string | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const near = Math.abs(a - b) <= featureTolerance * Math.max(1, Math.abs(a), Math.abs(b))
    return near ? null : `${path}: ${a} and ${b}`
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b ? null : `${path}: ${JSON.stringify(a)} and ${JSON.stringify(b)}`
  const keysA = Object.keys(a)
  const keysB = Object.keys(b)
  if (keysA.join() !== keysB.join()) return `${path}: keys ${keysA.join()} and ${keysB.join()}`
  for (const key of keysA) {
    const inner = valueDifference((a as never)[key], (b as never)[key], `${path}.${key}`)
    if (inner !== null) return inner
  }
  return null
}
