/** Method: looks at made conditions, and what was said; scripts/proofs have stalled disks and dead peers. */
import type { DeliveryStatus } from '@millwright/gateways'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlantChanges, type PlantCondition } from './plant-changes.ts'

const quiet: PlantCondition = { stalled: [], channels: [], model: null }
const channel = (name: string, status: Partial<DeliveryStatus> = {}): DeliveryStatus => ({
  name,
  kind: 'webhook',
  target: 'https://example.org',
  state: 'idle',
  pending: 0,
  oldestPendingAt: null,
  delivered: 0,
  refused: 0,
  failed: 0,
  skipped: 0,
  parked: [],
  lastDeliveredAt: null,
  lastError: null,
  nextAttemptAt: null,
  saveError: null,
  ...status,
})

function changesSince(modelFromMs = Number.NEGATIVE_INFINITY) {
  const said: string[] = []
  const changes = new PlantChanges((code, text) => void said.push(`${code} ${text}`), modelFromMs)
  return { said, look: (condition: Partial<PlantCondition>) => changes.look({ ...quiet, ...condition }) }
}

test('partitions that stall are told once and together, with why, and so is that they go on (C1, C2)', () => {
  const { said, look } = changesSince()
  const [a, b] = [
    { partition: 1, why: 'ENOSPC' },
    { partition: 3, why: 'ENOSPC' },
  ]
  look({})
  look({ stalled: [a, b] })
  look({ stalled: [a, b] })
  look({ stalled: [b] })
  look({})
  look({ stalled: [a] })
  expect(said).toEqual([
    'PARTITION_STALLED Partitions that stand (1, 3): ENOSPC',
    'PARTITION_GOES_ON Partitions that go on (1).',
    'PARTITION_GOES_ON Partitions that go on (3).',
    'PARTITION_STALLED Partitions that stand (1): ENOSPC',
  ])
})

test('a channel is away from a failed attempt until it delivers or has nothing to, whatever it tries between (C3)', () => {
  const { said, look } = changesSince()
  const lastError = { at: 1, text: 'mail:25: ECONNREFUSED' }
  const waiting = channel('shift', { state: 'waiting', lastError })
  look({ channels: [channel('shift', { state: 'starting' }), channel('lake')] })
  for (const state of ['waiting', 'sending', 'waiting', 'sending'] as const)
    look({ channels: [{ ...waiting, state }, channel('lake')] })
  look({ channels: [{ ...waiting, state: 'sending', lastDeliveredAt: 5 }, channel('lake')] })
  look({ channels: [{ ...waiting, state: 'stopped' }, channel('lake', { state: 'held' })] })
  look({ channels: [{ ...waiting, state: 'idle' }, channel('lake', { state: 'held' })] })
  expect(said).toEqual([
    'CHANNEL_AWAY Notifications wait, and are tried again: shift: mail:25: ECONNREFUSED',
    'CHANNEL_BACK Notifications go out again: shift.',
    'CHANNEL_STOPPED Notifications do not go out until somebody looks: shift: mail:25: ECONNREFUSED; lake: its peer refused too many',
    'CHANNEL_BACK Notifications go out again: shift.',
  ])
})

test('what a peer refuses for good is told when it is parked, not while it is, nor when it leaves', () => {
  const { said, look } = changesSince()
  const parked = (count: number) =>
    Array.from({ length: count }, (_, n) => ({ id: `x#${n}`, refusedAt: n, reason: `answered 40${n}` }) as never)
  for (const count of [0, 1, 1, 3, 0]) look({ channels: [channel('tickets', { parked: parked(count) })] })
  expect(said.map((text) => text.replace(/ .*: /, ' '))).toEqual([
    'NOTIFICATION_PARKED answered 400',
    'NOTIFICATION_PARKED answered 402',
  ])
})

test('a model is told of when it comes into force, the one of the start not again, one that comes back is (C4)', () => {
  const { said, look } = changesSince(100)
  const model = (version: string, activeFrom: number) => ({ model: { name: 'press', version, activeFrom } })
  for (const next of [model('1', 100), model('2', 200), model('2', 200), {}, model('2', 200), model('1', 300)])
    look(next)
  expect(said).toEqual(['MODEL_IN_FORCE Model press 2 is in force.', 'MODEL_IN_FORCE Model press 1 is in force.'])
})

test('stalls and their ends alternate for each partition, whatever comes (C1)', () => {
  const partitions = fc.subarray([0, 1, 2, 3])
  fc.assert(
    fc.property(fc.array(partitions), (looks) => {
      const standing = new Set<number>()
      const changes = new PlantChanges((code, _, details) => {
        for (const partition of details?.['partitions'] as number[]) {
          expect(standing.has(partition)).toBe(code === 'PARTITION_GOES_ON')
          if (code === 'PARTITION_STALLED') standing.add(partition)
          else standing.delete(partition)
        }
      }, 0)
      for (const look of looks) {
        changes.look({ ...quiet, stalled: look.map((partition) => ({ partition, why: 'x' })) })
        expect([...standing].sort()).toEqual(look)
      }
    }),
  )
})
