import { limits } from '@millwright/core'
import { expect, test } from 'vitest'
import { activationInForce, InputState, standingActivations } from './input-state.ts'

const seen = (updateOffset: number, activeFrom: number, seenAtMs: number) => ({
  update: { name: 'm', version: `${updateOffset}`, sha256: `${updateOffset}`, activeFrom },
  updateOffset,
  seenAtMs,
})

test('standingActivations() keeps the activation in force and those to come, whatever their order (I3)', () => {
  const activations = [seen(0, 100, 90), seen(1, 200, 190), seen(2, 900, 195), seen(3, 300, 290)]
  const offsets = (nowMs: number): number[] =>
    standingActivations(activations, nowMs).map(({ updateOffset }) => updateOffset)
  expect(offsets(50)).toEqual([0, 1, 2, 3])
  expect(offsets(150)).toEqual([0, 1, 2, 3])
  expect(offsets(250)).toEqual([1, 2, 3])
  expect(offsets(350)).toEqual([2, 3])
  // Activated before the last one, and for later.
  expect(offsets(1000)).toEqual([2])
})

test('activationInForce() is the one with the greatest effective time, which is never before it was seen', () => {
  const activations = [seen(0, 100, 90), seen(1, 300, 190), seen(2, 200, 195), seen(3, 50, 250), seen(4, 251, 250)]
  const inForce = (nowMs: number): number | null => activationInForce(activations, nowMs)?.updateOffset ?? null
  expect([99, 100, 199, 200, 250, 251, 299, 300, 1e9].map(inForce)).toEqual([null, 0, 0, 2, 2, 4, 4, 1, 1])
  // The same time again: the last one seen.
  expect(activationInForce([seen(0, 500, 1), seen(1, 500, 2)], 500)?.updateOffset).toBe(1)
})

test('InputState is bounded in activations (I3)', () => {
  const state = new InputState()
  for (let n = 0; n < limits.activationsMax + 10; n++) state.activate(seen(n, 1e12, n))
  expect(state.activations).toHaveLength(limits.activationsMax)
  expect(state.nextUpdateOffset).toBe(limits.activationsMax + 10)
})

test('InputState read back from its own body is the same, order of sources included (I1)', () => {
  const state = new InputState()
  state.mark({ id: 'a', position: 5, acknowledged: 3 })
  state.mark({ id: 'b', position: 7, acknowledged: 7 })
  state.mark({ id: 'a', position: 6, acknowledged: 5 })
  state.activate(seen(4, 10, 20))
  const copy = new InputState()
  const header = {
    kind: 'log-state',
    syncedBefore: false,
    extensionBytes: 0,
    bodyBytes: 0,
    baseOffset: 0,
    appendTimeMs: 0,
  } as const
  copy.apply({ header: { ...header, recordCount: 0, payloadCrc: 0 }, extension: Buffer.alloc(0), body: state.encode() })
  expect(copy.encode()).toEqual(state.encode())
  expect(copy.sourceIds).toEqual(['b', 'a'])
  expect(copy.nextUpdateOffset).toBe(5)
})

test('the position of a source never falls (I2)', () => {
  const state = new InputState()
  state.mark({ id: 'a', position: 5, acknowledged: 3 })
  state.mark({ id: 'a', position: 4, acknowledged: 2 })
  expect(state.sourcePosition('a')).toBe(5)
  expect(state.sourceAcknowledged('a')).toBe(3)
})
