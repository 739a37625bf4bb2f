import { limits } from '@millwright/core'
import { expect, test } from 'vitest'
import { InputState, standing } from './input-state.ts'

const seen = (updateOffset: number, activeFrom: number, seenAtMs: number) => ({
  update: { name: 'm', version: `${updateOffset}`, sha256: `${updateOffset}`, activeFrom },
  updateOffset,
  seenAtMs,
})

test('standing() keeps the activation in force and those to come, whatever their order (I3)', () => {
  const activations = [seen(0, 100, 90), seen(1, 200, 190), seen(2, 900, 195), seen(3, 300, 290)]
  const offsets = (nowMs: number): number[] => standing(activations, nowMs).map(({ updateOffset }) => updateOffset)
  expect(offsets(50)).toEqual([0, 1, 2, 3])
  expect(offsets(150)).toEqual([0, 1, 2, 3])
  expect(offsets(250)).toEqual([1, 2, 3])
  expect(offsets(350)).toEqual([2, 3])
  expect(offsets(1000)).toEqual([3])
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
