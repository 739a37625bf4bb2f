import { expect, test } from 'vitest'
import { AlertStates, alertSeverity } from './alert-states.ts'

test('put() gives a device beyond those that there was room for its state, and leaves the others theirs', () => {
  const states = new AlertStates(2)
  states.set(3, alertSeverity, 1)
  states.append(3, 1000, 2, 2)
  const state = states.copy(3)
  for (const device of [64, 700, 100_000]) {
    const restored = new AlertStates(2)
    restored.set(0, alertSeverity, 4)
    restored.put(device, state)
    expect(restored.copy(device)).toEqual(state)
    expect(restored.get(0, alertSeverity)).toBe(4)
  }
})
