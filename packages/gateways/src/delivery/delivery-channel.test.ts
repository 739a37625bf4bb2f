/**
 * Method: a channel between a topic, a peer and a store in memory, on a clock that the test moves. What a process that dies leaves
 * behind is what its store has at that moment; the next channel begins with it.
 */
import { limits } from '@millwright/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeliveryChannel } from './delivery-channel.ts'
import { DeliveryFailedError, DeliveryRefusedError } from './errors.ts'
import { chanceOf } from './retry-pauses.ts'
import { caseRecord, FakeCases } from './testing/cases.ts'
import { FakePeer, FakeStore } from './testing/fake-peer.ts'
import { ManualClock } from './testing/manual-clock.ts'

interface Setting {
  readonly cases: FakeCases
  readonly peer: FakePeer
  readonly store: FakeStore
  readonly clock: ManualClock
}

function setting(partitionCount = 1): Setting {
  return {
    cases: new FakeCases(partitionCount),
    peer: new FakePeer(),
    store: new FakeStore(),
    clock: new ManualClock(),
  }
}

function start(
  { cases, peer, store, clock }: Setting,
  from: 'end' | 'beginning' = 'beginning',
  /** What ports were opened with. */
  opened: unknown[] = [],
): DeliveryChannel {
  return new DeliveryChannel({
    name: 'test',
    kind: 'webhook',
    source: cases,
    store,
    openPort: async (kept) => {
      opened.push(kept)
      return peer
    },
    relevanceOf: ({ severity, windowEnd }) => (severity === 'minor' ? 'other' : windowEnd === 0 ? 'history' : 'wanted'),
    start: from,
    clock,
    chance: chanceOf(1),
    secrets: ['hunter2'],
  })
}

/** A channel that has nothing to do, and nothing to save, sleeps as long as it may. */
const idleMs = 3_600_000

const id = (sequence: number, deviceId = 'press-07'): string => {
  const { caseId } = JSON.parse(caseRecord({ deviceId })) as { caseId: string }
  return `${caseId}#${sequence}`
}

test('a channel tells each change once and in order, and goes on where it stood (N1, N2)', async () => {
  const parts = setting()
  for (const sequence of [0, 1, 2]) parts.cases.add(caseRecord({ sequence }))
  const first = start(parts)
  await parts.peer.until(() => parts.peer.taken.length === 3)
  await first.close()
  expect(parts.store.saved?.positions).toEqual([3])
  expect(parts.peer.closed).toBe(true)

  parts.cases.add(caseRecord({ sequence: 3 }))
  const second = start(parts)
  await parts.peer.until(() => parts.peer.taken.length === 4)
  await second.close()
  expect(parts.peer.taken.flat()).toEqual([0, 1, 2, 3].map((sequence) => id(sequence)))
})

test('a new channel begins with what comes, and a saved position goes before', async () => {
  const parts = setting()
  parts.cases.add(caseRecord({ sequence: 0 }))
  const first = start(parts, 'end')
  await parts.clock.slept(idleMs)
  parts.cases.add(caseRecord({ sequence: 1 }))
  await parts.peer.until(() => parts.peer.taken.length === 1)
  await first.close()
  parts.cases.add(caseRecord({ sequence: 2 }))
  const second = start(parts, 'end')
  await parts.peer.until(() => parts.peer.taken.length === 2)
  await second.close()
  expect(parts.peer.taken.flat()).toEqual([id(1), id(2)])
})

test('a channel passes over what is not wanted and what is history, and counts the latter (N1)', async () => {
  const parts = setting()
  parts.cases.add(caseRecord({ severity: 'minor' }))
  parts.cases.add(caseRecord({ sequence: 1, windowEnd: 0 }))
  parts.cases.add('no case')
  parts.cases.add(caseRecord({ sequence: 3 }))
  parts.cases.add(caseRecord({ sequence: 4, severity: 'minor' }))
  const channel = start(parts)
  await parts.peer.until(() => parts.peer.taken.length === 1)
  const status = await channel.status()
  await channel.close()
  expect(parts.peer.taken).toEqual([[id(3)]])
  expect(status.skipped).toBe(2)
  expect(parts.store.saved?.positions).toEqual([5])
})

test('a peer that is away is tried again, later each time, and nothing is lost (N1)', async () => {
  const parts = setting()
  parts.peer.answers.push(...Array.from({ length: 8 }, () => new DeliveryFailedError('away, hunter2')))
  parts.cases.add(caseRecord())
  const channel = start(parts)
  const pauses: number[] = []
  for (let attempt = 1; attempt <= 8; attempt++) {
    await parts.peer.until(() => parts.peer.attempts === attempt)
    const pauseMs = await parts.clock.slept(Math.min(60_000, 1000 * 2 ** (attempt - 1)) / 2)
    pauses.push(pauseMs)
    expect(await channel.status()).toMatchObject({ state: 'waiting', pending: 1, failed: attempt })
    parts.clock.advance(pauseMs)
  }
  await parts.peer.until(() => parts.peer.taken.length === 1)
  for (const [index, pauseMs] of pauses.entries()) {
    const full = Math.min(limits.notifyPauseMsMax, 1000 * 2 ** index)
    expect(pauseMs).toBeGreaterThanOrEqual(full / 2)
    expect(pauseMs).toBeLessThanOrEqual(full)
  }
  expect((await channel.status()).lastError?.text).toBe('away, …')
  await channel.close()
})

test('a peer that says when to come again is not asked before; news do not hurry it', async () => {
  const parts = setting()
  parts.peer.answers.push(new DeliveryFailedError('slow down', { retryAfterMs: 90_000 }))
  parts.cases.add(caseRecord())
  const channel = start(parts)
  expect(await parts.clock.slept(90_000)).toBe(90_000)
  parts.cases.add(caseRecord({ sequence: 1 }))
  parts.clock.advance(89_999)
  expect(await parts.clock.slept(1)).toBe(1)
  expect(parts.peer.attempts).toBe(1)
  parts.clock.advance(1)
  await parts.peer.until(() => parts.peer.taken.length === 2)
  await channel.close()
})

test('where a peer is told states, what was parked of a case is gone with a later change of it, and not sent again (N3)', async () => {
  for (const tellsState of [true, false]) {
    const parts = setting()
    if (tellsState) parts.peer.tellsState = true
    parts.peer.answers.push(new DeliveryRefusedError('403'), new DeliveryRefusedError('403'))
    parts.cases.add(caseRecord({ sequence: 0 }))
    parts.cases.add(caseRecord({ deviceId: 'press-08', sequence: 0 }))
    parts.cases.add(caseRecord({ sequence: 1, change: 'cleared', alerting: false }))
    const channel = start(parts)
    await parts.peer.until(() => parts.peer.taken.length === 1)
    await parts.clock.slept(1)
    const parked = [...(tellsState ? [] : [id(0)]), id(0, 'press-08')]
    expect((await channel.status()).parked.map((each) => each.id)).toEqual(parked)
    expect(channel.retry()).toBe(parked.length)
    await parts.peer.until(() => parts.peer.taken.length === 1 + parked.length)
    await channel.close()
    expect(parts.peer.taken.flat()).toEqual([id(1), ...parked])
  }
})

test('what the port keeps stays kept over starts at which nothing comes, however they end (N4)', async () => {
  const parts = setting()
  parts.peer.kept = ['an alert that stands']
  parts.cases.add(caseRecord())
  const first = start(parts)
  await parts.peer.until(() => parts.peer.taken.length === 1)
  await first.close()
  for (const _ of ['a second start', 'a third']) {
    const opened: unknown[] = []
    const next = start(parts, 'beginning', opened)
    await parts.clock.slept(idleMs)
    // What a process that dies here leaves behind.
    expect(parts.store.saved?.port).toEqual(['an alert that stands'])
    await next.close()
    expect(opened).toEqual([['an alert that stands']])
  }
})

test('what is refused for good is parked, holds up nothing, survives a restart, and is sent when asked (N3)', async () => {
  const parts = setting()
  parts.peer.answers.push(new DeliveryRefusedError('400'))
  for (const sequence of [0, 1]) parts.cases.add(caseRecord({ sequence }))
  const first = start(parts)
  await parts.peer.until(() => parts.peer.taken.length === 1)
  await first.close()
  expect(parts.peer.taken).toEqual([[id(1)]])
  expect(parts.store.saved?.parked).toMatchObject([{ id: id(0), offset: 0, reason: '400' }])

  const second = start(parts)
  await parts.clock.slept(idleMs)
  parts.clock.advance(1000)
  parts.peer.answers.push(new DeliveryRefusedError('still 400'))
  expect(second.retry()).toBe(1)
  await parts.store.written()
  expect((await second.status()).parked).toMatchObject([{ id: id(0), reason: 'still 400' }])
  parts.clock.advance(1000)
  second.retry()
  await parts.peer.until(() => parts.peer.taken.length === 2)
  await second.close()
  expect(parts.peer.taken.at(-1)).toEqual([id(0)])
  expect(parts.store.saved).toMatchObject({ parked: [], positions: [2] })
})

test('a channel with as many parked as there may be is held, and goes on when they are gone (N3)', async () => {
  const parts = setting()
  const parked = Array.from({ length: limits.notificationsParkedMax }, (_, offset) => ({
    id: id(0, `press-${offset}`),
    partition: 0,
    offset,
    refusedAt: 1,
    reason: '400',
  }))
  for (const { offset } of parked) parts.cases.add(caseRecord({ deviceId: `press-${offset}` }))
  parts.cases.add(caseRecord())
  parts.store.saved = { positions: [parked.length], planned: [], parked, port: null }
  const channel = start(parts)
  await parts.clock.slept(idleMs)
  expect(await channel.status()).toMatchObject({ state: 'held', pending: 1 })
  channel.retry()
  await parts.peer.until(() => parts.peer.taken.length === parked.length + 1)
  await channel.close()
  expect(parts.peer.taken.flat()).toEqual([...parked.map((each) => each.id), id(0)])
})

test('a position that cannot be saved is said, and tried again; deliveries go on (N4)', async () => {
  const parts = setting()
  const channel = start(parts)
  await parts.store.written()
  parts.store.failure = new Error('ENOSPC: no space left on device')
  parts.clock.advance(1000)
  parts.cases.add(caseRecord())
  await parts.store.written()
  expect(parts.peer.taken).toHaveLength(1)
  expect((await channel.status()).saveError).toContain('ENOSPC')
  expect(parts.store.saved?.positions).toEqual([0])
  parts.store.failure = null
  await parts.clock.slept(1000)
  parts.clock.advance(1000)
  await parts.store.written()
  expect(parts.store.saved?.positions).toEqual([1])
  expect((await channel.status()).saveError).toBeNull()
  await channel.close()
})

test.each([
  1, 2,
])('an attempt that a stop cuts is made again at the next start, of messages of %i (N1)', async (batchMax) => {
  const parts = setting()
  parts.peer.batchMax = batchMax
  parts.peer.answers.push('hang')
  for (let sequence = 0; sequence < batchMax; sequence++) parts.cases.add(caseRecord({ sequence }))
  const first = start(parts)
  await parts.peer.until(() => parts.peer.attempts === 1)
  const closing = first.close()
  await parts.clock.slept(1000)
  parts.clock.advance(1000)
  await closing
  expect(parts.store.saved).toMatchObject({ positions: [0], parked: [] })
  const second = start(parts)
  await parts.peer.until(() => parts.peer.taken.flat().length === batchMax)
  await second.close()
  expect(parts.peer.taken.flat()).toEqual(Array.from({ length: batchMax }, (_, sequence) => id(sequence)))
})

test('what is saved never goes beyond what the peer has not taken yet (N1)', async () => {
  const parts = setting()
  for (const sequence of [0, 1, 2]) parts.cases.add(caseRecord({ sequence }))
  const away = new DeliveryFailedError('away', { retryAfterMs: 600_000 })
  parts.peer.answers.push(away)
  const channel = start(parts)
  await parts.clock.slept(600_000)
  expect(parts.store.saved?.positions).toEqual([0])
  // The first is taken a second later, the next is not: the first alone is done with.
  parts.clock.advance(1000)
  parts.peer.answers.splice(0, Infinity)
  const taken = parts.peer.until(() => parts.peer.taken.length === 1).then(() => parts.peer.answers.push(away))
  channel.retry()
  await taken
  await parts.store.written()
  expect(parts.store.saved?.positions).toEqual([1])
  const closed = channel.close()
  await closed
})

test.each([2, 3, 4])('%i that were about to be one message are that message after a crash (N1)', async (count) => {
  const parts = setting()
  parts.peer.batchMax = 10
  for (const sequence of [0, 1, 2, 3, 4]) parts.cases.add(caseRecord({ sequence }))
  const planned = Array.from({ length: count }, (_, sequence) => id(sequence))
  parts.store.saved = { positions: [0], planned, parked: [], port: null }
  const channel = start(parts)
  await parts.peer.until(() => parts.peer.taken.flat().length === 5)
  await channel.close()
  expect(parts.peer.taken[0]).toEqual(planned)
})

test('what was about to be one message goes without those that a changed project does not want, and waits for nothing (N1)', async () => {
  const parts = setting()
  parts.peer.batchMax = 10
  for (const sequence of [0, 1]) parts.cases.add(caseRecord({ sequence }))
  parts.cases.add(caseRecord({ sequence: 2, severity: 'minor' }))
  parts.store.saved = { positions: [0], planned: [id(0), id(1), id(2)], parked: [], port: null }
  const channel = start(parts)
  await parts.peer.until(() => parts.peer.taken.length === 1)
  await channel.close()
  expect(parts.peer.taken).toEqual([[id(0), id(1)]])
  expect(parts.store.saved?.positions).toEqual([3])
})

test('several at once are one message where the peer takes that, and the same message after a crash (N1)', async () => {
  const parts = setting()
  parts.peer.batchMax = 10
  parts.peer.answers.push('hang')
  for (const sequence of [0, 1, 2]) parts.cases.add(caseRecord({ sequence }))
  const first = start(parts)
  await parts.peer.until(() => parts.peer.attempts === 1)
  const planned = parts.store.saved?.planned ?? []
  expect(planned.length).toBeGreaterThan(0)
  // It dies here: what the store has is all there is; more has come since.
  const left = structuredClone(parts.store.saved)
  parts.cases.add(caseRecord({ sequence: 3 }))
  const closed = first.close()
  await parts.clock.slept(1000)
  parts.clock.advance(1000)
  await closed
  parts.store.saved = left
  const second = start(parts)
  await parts.peer.until(() => parts.peer.taken.flat().length === 4)
  await second.close()
  expect(parts.peer.taken[0]).toEqual(planned)
  expect(parts.peer.taken.flat()).toEqual([0, 1, 2, 3].map((sequence) => id(sequence)))
})

test('after a message what comes within its pace is gathered for the next', async () => {
  const parts = setting()
  parts.peer.batchMax = 10
  parts.peer.paceMs = 60_000
  const channel = start(parts)
  parts.cases.add(caseRecord({ sequence: 0 }))
  await parts.peer.until(() => parts.peer.taken.length === 1)
  for (const sequence of [1, 2, 3]) parts.cases.add(caseRecord({ sequence }))
  // The position is saved meanwhile.
  await parts.clock.slept(1000)
  parts.clock.advance(1000)
  expect(await parts.clock.slept(2000)).toBe(59_000)
  expect(parts.peer.taken).toHaveLength(1)
  parts.clock.advance(59_000)
  await parts.peer.until(() => parts.peer.taken.length === 2)
  await channel.close()
  expect(parts.peer.taken[1]).toEqual([1, 2, 3].map((sequence) => id(sequence)))
})

test('a channel reads no more than it may hold while its peer is away (N5)', async () => {
  const parts = setting()
  parts.peer.answers.push(new DeliveryFailedError('away', { retryAfterMs: 600_000 }))
  const count = limits.notificationsQueuedMax + 50
  for (let sequence = 0; sequence < count; sequence++) parts.cases.add(caseRecord({ sequence }))
  const channel = start(parts)
  await parts.clock.slept(600_000)
  expect(await channel.status()).toMatchObject({ pending: count, state: 'waiting' })
  channel.retry()
  await parts.peer.until(() => parts.peer.taken.length === count)
  await channel.close()
  expect(parts.peer.taken.flat()).toEqual(Array.from({ length: count }, (_, sequence) => id(sequence)))
})

test('a channel whose topic cannot be read says so, and reads on', async () => {
  const parts = setting()
  parts.cases.failure = new Error('LOG_CORRUPT')
  parts.cases.add(caseRecord())
  const channel = start(parts)
  await parts.clock.slept(5000)
  expect((await channel.status()).lastError?.text).toBe('LOG_CORRUPT')
  parts.clock.advance(5000)
  await parts.peer.until(() => parts.peer.taken.length === 1)
  await channel.close()
})

test('whatever fails and wherever it dies, each change is told, in the order of its partition (N1, N2)', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), partition: fc.nat(1) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'fail' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'later' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'die' as const }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const parts = setting(2)
      const added: string[][] = [[], []]
      let channel = start(parts)
      for (const each of steps)
        if (each.kind === 'add') {
          const sequence = added[each.partition]?.length ?? 0
          const deviceId = `press-${each.partition}`
          added[each.partition]?.push(id(sequence, deviceId))
          parts.cases.add(caseRecord({ deviceId, sequence }), each.partition)
        } else if (each.kind === 'later') {
          parts.clock.advance(1000)
          await new Promise((resolve) => setImmediate(resolve))
        } else if (each.kind === 'fail') {
          parts.peer.answers.push(new DeliveryFailedError('away'))
        } else {
          const left = structuredClone(parts.store.saved)
          await channel.close()
          parts.store.saved = left
          channel = start(parts)
        }
      const wanted = added.flat().length
      while (new Set(parts.peer.taken.flat()).size < wanted) {
        channel.retry()
        await new Promise((resolve) => setImmediate(resolve))
      }
      await channel.close()
      // The first time that each was told: copies may come after a death.
      const told = [...new Set(parts.peer.taken.flat())]
      for (const [p, ids] of added.entries()) expect(told.filter((each) => each.startsWith(`press-${p}@`))).toEqual(ids)
    }),
    { numRuns: 60 },
  )
})
