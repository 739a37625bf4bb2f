/** Method: a partition that processes whatever it may between the pieces of a snapshot, held to a fresh operator on the same log. */

import type { PartitionOperator } from '@millwright/core'
import { MemoryDisk } from '@millwright/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StateTaker } from './state-taker.ts'
import { SumOperator } from './testing/sum-operator.ts'
import { freshOutputs, openTestEngine, part, storedOutputs } from './testing/test-engine.ts'

/** The whole state of an operator, by device. */
function stateOf(operator: PartitionOperator): Record<string, string> {
  const entries = new Map<string, string>()
  for (let taken = operator.takeDirty(); taken.length > 0; taken = operator.takeDirty())
    for (const { deviceId, state } of taken) entries.set(deviceId, Buffer.from(state ?? []).toString())
  return Object.fromEntries([...entries].sort())
}

const line = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

test('what StateTaker keeps is the state at the cut, whatever changed while it was taken ahead (S1, S2)', async () => {
  const device = fc.nat(20)
  await fc.assert(
    fc.asyncProperty(
      fc.array(device, { maxLength: 60 }),
      fc.array(fc.array(device), { maxLength: 30 }),
      async (before, during) => {
        const sink = { emit: () => undefined }
        const [operator, whole] = [new SumOperator(sink), new SumOperator(sink, { takenMax: 1e9 })]
        let offset = 0
        const process = (devices: readonly number[]): void => {
          for (const n of devices) {
            for (const each of [operator, whole]) each.readings(line(`d${n} 1`), offset, 1000 + offset)
            offset += 1
          }
          for (const each of [operator, whole]) each.flush()
        }
        const kept = new Map<string, string>()
        let pieces = 0
        const taker = new StateTaker(operator, (entries) => {
          expect(entries.length).toBeGreaterThan(0)
          for (const { deviceId, state } of entries) kept.set(deviceId, Buffer.from(state ?? []).toString())
          // As the runner does while a turn of the event loop goes by.
          process(isCutting ? [] : (during[pieces] ?? []))
          pieces += 1
        })
        let isCutting = false
        process(before)
        await taker.takeAhead(() => true)
        // S3.
        expect(pieces).toBeLessThanOrEqual(Math.max(1, operator.deviceCount))
        isCutting = true
        await taker.takeRest()
        expect(Object.fromEntries([...kept].sort())).toEqual(stateOf(whole))
      },
    ),
    { numRuns: 100 },
  )
})

test('takeAhead stops where the operator no longer stands between two records', async () => {
  const operator = new SumOperator({ emit: () => undefined })
  for (let n = 0; n < 10; n++) operator.readings(line(`d${n} 1`), n, 1000)
  operator.flush()
  let taken = 0
  const taker = new StateTaker(operator, (entries) => {
    taken += entries.length
  })
  await taker.takeAhead(() => taken < 4)
  expect(taken).toBe(4)
})

test('a partition goes on while a snapshot is taken ahead and waits only for its cut; a crash at any time after loses nothing (H3)', async () => {
  const memory = new MemoryDisk()
  const options = { disk: memory, partitionCount: 1 }
  const engine = await openTestEngine(options)
  const lines = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, n) => `d${(from + n) % 300} ${1 + n}`)
  await engine.append('sensor-data', [part(0, ...lines(0, 300))])
  await engine.drained()
  const snapshot = engine.snapshot()
  let cutAt = 0
  for (let n = 1; n <= 20; n++) {
    await engine.append('sensor-data', [part(0, ...lines(17 * n, 40))])
    await new Promise((resolve) => setImmediate(resolve))
    const { processedOffset, snapshot: taken } = engine.stats().partitions[0] ?? {
      processedOffset: 0,
      snapshot: { count: 0 },
    }
    if (taken.count === 0) cutAt = processedOffset
  }
  // It was under way for many turns, in which readings were processed.
  expect(cutAt).toBeGreaterThan(300)
  await snapshot
  await engine.append('sensor-data', [part(0, ...lines(5, 100))])
  await engine.drained()
  const crashed = memory.afterPowerCut(7)
  const second = await openTestEngine({ ...options, disk: crashed })
  expect(second.recovery.partitions[0]?.processedFrom).toBeGreaterThan(300)
  await second.append('sensor-data', [part(0, ...lines(0, 300))])
  await second.drained()
  for (const [topic, wanted] of freshOutputs(crashed, 0)) expect(storedOutputs(crashed, topic, 0)).toEqual(wanted)
})
