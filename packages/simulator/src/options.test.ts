import { ConfigurationError } from '@millwright/core'
import { expect, test } from 'vitest'
import { checkOptions, type SimulationOptions } from './options.ts'

const good: SimulationOptions = {
  seed: 1,
  deviceCount: 10,
  ratePerDeviceHz: 1,
  startMs: 1_767_571_200_000,
  durationMs: 60_000,
}

test('checkOptions() fills in defaults', () => {
  expect(checkOptions(good)).toEqual({ ...good, faults: [], malformedShare: 0, deviceIdPrefix: 'machine-' })
})

test('checkOptions() names every option that is wrong, at once', () => {
  const bad = {
    seed: -1,
    deviceCount: 1.5,
    ratePerDeviceHz: Number.NaN,
    startMs: 0,
    durationMs: 0,
    malformedShare: 2,
    deviceIdPrefix: 'a"b',
    faults: [{ kind: 'gremlin' as never, share: -0.1 }],
  }
  const problems = problemsOf(() => checkOptions(bad))
  expect(problems).toEqual([...Object.keys(bad).filter((key) => key !== 'faults'), 'faults[0].kind', 'faults[0].share'])
})

test.each([
  'seed',
  'deviceCount',
  'ratePerDeviceHz',
  'startMs',
  'durationMs',
  'malformedShare',
] as const)('checkOptions() refuses %s when it is NaN or infinite', (field) => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(problemsOf(() => checkOptions({ ...good, [field]: value }))).toEqual([field])
  }
})

function problemsOf(call: () => unknown): string[] {
  try {
    call()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((problem) => problem.field)
    throw error
  }
  return []
}
