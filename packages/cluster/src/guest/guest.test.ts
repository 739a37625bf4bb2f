/**
 * The guest against the operator itself: over random histories, cut into bundles, spread over partitions, with devices let go of
 * and restored, at barriers and after restarts, each device gives the same.
 */
import type { Plan, WindowNode } from '@millwright/core'
import {
  byDeviceAndTopic,
  createDirectEngine,
  plainDecoder,
  planOf,
  type RunResult,
  randomScenario,
  type ScenarioOptions,
  type Step,
  seededRandom,
} from '@millwright/testkit'
import { describe, expect, test } from 'vitest'
import type { GuestConfiguration } from '../bridge.ts'
import { createGuest } from './guest.ts'
import { GuestFailedError, type HostRecord, nodeHost, TestHost } from './host-testing.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const lastMs = 1.9e12

const windows: readonly WindowNode[] = [
  { kind: 'tumbling', sizeMs: 5000 },
  { kind: 'tumbling', sizeMs: 300_000 },
  { kind: 'hopping', sizeMs: 12_000, slideMs: 4000 },
  { kind: 'session', gapMs: 4000 },
  { kind: 'per-reading' },
]
const variants: readonly Omit<ScenarioOptions, 'window'>[] = [{}, { timestamp: 'arrival' }, { alertRules: true }]

const configuration: GuestConfiguration = {
  subtask: 0,
  inputs: ['sensor-data', 'device-events'],
  outputs: ['device-features', 'alert-signals', 'late-readings', 'dead-letters', 'device-status'],
  cacheKeysMax: 1000,
  dirtyKeysMax: 1000,
}

/** The records of a history without models, each in the partition of its device, in the order of the steps. */
function recordsOf(steps: readonly Step[], partitionCount: number): HostRecord[] {
  const records: HostRecord[] = []
  for (const step of steps) {
    if (step.kind !== 'readings' && step.kind !== 'events') continue
    for (const text of decoder.decode(step.bytes).replace(/\n$/, '').split('\n')) {
      const id = /"deviceId":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? ''
      records.push({
        input: step.kind === 'readings' ? 0 : 1,
        partition: [...id].reduce((sum, character) => sum + character.charCodeAt(0), 0) % partitionCount,
        offset: records.length,
        appendTimeMs: step.appendTimeMs,
        line: encoder.encode(text),
      })
    }
  }
  return records
}

/** Merges the partitions in some other order, each keeping its own, none more than two seconds before another. */
function interleave(records: readonly HostRecord[], random: () => number): HostRecord[] {
  const queues = new Map<number, HostRecord[]>()
  for (const record of records) queues.set(record.partition, [...(queues.get(record.partition) ?? []), record])
  const merged: HostRecord[] = []
  while (queues.size > 0) {
    const partitions = [...queues.keys()]
    const partition = partitions[Math.floor(random() * partitions.length)] as number
    const queue = queues.get(partition) as HostRecord[]
    merged.push(queue.shift() as HostRecord)
    if (queue.length === 0) queues.delete(partition)
  }
  return merged
}

interface HostOptions {
  readonly cacheKeysMax?: number
  readonly partitionCount?: number
  readonly resultBytes?: number
  readonly inputBytes?: number
  readonly restarts?: boolean
  readonly keysMax?: number
}

function runGuest(plan: Plan, steps: readonly Step[], seed: number, options: HostOptions): TestHost {
  const random = seededRandom(seed)
  const merged = interleave(recordsOf(steps, options.partitionCount ?? 3), random)
  const guestConfiguration = {
    ...configuration,
    cacheKeysMax: options.cacheKeysMax ?? 1000,
    dirtyKeysMax: random() < 0.5 ? 1 : 1000,
  }
  const newHost = (): TestHost =>
    new TestHost(createGuest(plan, nodeHost), guestConfiguration, {
      inputBytes: 400_000,
      resultBytes: 100_000,
      ...options,
    })
  let host = newHost()
  const left = new Map<number, number>()
  for (const { partition } of merged) left.set(partition, (left.get(partition) ?? 0) + 1)
  const reached = new Map<number, number>()
  for (let from = 0; from < merged.length; ) {
    const count = 1 + Math.floor(random() * 9)
    const bundle = merged.slice(from, from + count)
    from += count
    host.bundle(bundle)
    for (const { partition, appendTimeMs } of bundle) {
      reached.set(partition, appendTimeMs)
      left.set(partition, (left.get(partition) as number) - 1)
    }
    // Time is what all partitions that have more to give have come to.
    const waiting = [...left].filter(([, count]) => count > 0).map(([partition]) => reached.get(partition) ?? 0)
    if (random() < 0.5 && waiting.length > 0) host.watermark(Math.min(...waiting))
    if (random() < 0.2) host.checkpoint(1 + Math.floor(random() * 3))
    if (options.restarts && random() < 0.1) {
      host.checkpoint()
      const next = newHost()
      for (const [key, state] of host.states) next.states.set(key, state)
      for (const [key, times] of host.timers) next.timers.set(key, times)
      next.outputs.push(...host.outputs)
      host = next
    }
  }
  host.watermark(lastMs)
  if (steps.at(-1)?.kind === 'end') host.endOfInput()
  return host
}

/** Lines by device and topic; those of no device, which several partitions give, in some order of their own. */
function linesOf(outputs: readonly { topic: string; deviceId: string | null; line: string }[]): Map<string, string[]> {
  const groups = byDeviceAndTopic(outputs.map((output) => ({ ...output, step: null })) as RunResult['outputs'])
  return new Map(
    [...groups].map(([key, group]) => {
      const lines = group.map(({ line }) => line)
      return [key, key.endsWith(' of no device') ? lines.sort() : lines] as const
    }),
  )
}

function expectEqual(plan: Plan, allSteps: readonly Step[], seed: number, options: HostOptions): TestHost {
  const steps = allSteps.filter(({ kind }) => kind !== 'activate' && kind !== 'heartbeat')
  const withHeartbeat = [...steps]
  const end = steps.findIndex(({ kind }) => kind === 'end')
  withHeartbeat.splice(end < 0 ? steps.length : end, 0, { kind: 'heartbeat', appendTimeMs: lastMs })
  const direct = createDirectEngine({ createDecoder: plainDecoder }).run(plan, withHeartbeat) as RunResult
  const host = runGuest(plan, steps, seed, options)
  const found = linesOf(host.outputs.map(({ topic, key, line }) => ({ topic, deviceId: key, line })))
  const wanted = linesOf(direct.outputs)
  for (const key of new Set([...wanted.keys(), ...found.keys()]))
    expect(found.get(key), `${key}, seed ${seed}`).toEqual(wanted.get(key))
  return host
}

function overScenarios(check: (seed: number, plan: Plan, steps: readonly Step[]) => void): void {
  for (const window of windows)
    for (const variant of variants)
      for (let seed = 1; seed <= 2; seed++) {
        const scenario = randomScenario(3000 * seed + 11, { window, ...variant })
        check(seed, scenario.plan, scenario.steps)
      }
}

describe('createGuest()', () => {
  test('gives what the operator gives, however records are bundled and partitions interleaved', () => {
    let silences = 0
    overScenarios((seed, plan, steps) => {
      const host = expectEqual(plan, steps, seed, {})
      silences += host.counters()['devices_silent_total'] ?? 0
    })
    expect(silences).toBeGreaterThan(10)
  })

  test('gives the same when it holds one device at a time (G2, G3)', () => {
    overScenarios((seed, plan, steps) => {
      const host = expectEqual(plan, steps, seed, { cacheKeysMax: 1 })
      expect(host.counters()['devices_held']).toBeLessThanOrEqual(1)
    })
  })

  test('gives the same after restarts from what was written back', () => {
    overScenarios((seed, plan, steps) => expectEqual(plan, steps, seed, { cacheKeysMax: 2, restarts: true }))
  })

  test('gives the same through buffers that frames do not fit (F1, F2)', () => {
    overScenarios((seed, plan, steps) => expectEqual(plan, steps, seed, { cacheKeysMax: 1, resultBytes: 100 }))
  })

  test('keeps one timer for each device', () => {
    overScenarios((seed, plan, steps) => {
      const host = runGuest(plan, steps, seed, { cacheKeysMax: 1 })
      expect(host.timersPerKeyMax, `seed ${seed}`).toBe(1)
    })
  })
})

describe('a host without room for more devices', () => {
  const plan = planOf({
    window: { kind: 'tumbling', sizeMs: 1000 },
    time: { graceMs: 0, silentAfterMs: 20_000, forgetAfterMs: 60_000, devicesMax: 2 },
  })
  const record = (deviceId: string, timestamp: number, offset: number): HostRecord => {
    const line = encoder.encode(JSON.stringify({ deviceId, timestamp: 1766000000000 + timestamp, x: 1 }))
    return { input: 0, partition: 0, offset, appendTimeMs: 1766000000000 + timestamp, line }
  }
  const event = (deviceId: string, timestamp: number, offset: number): HostRecord => {
    const line = encoder.encode(JSON.stringify({ deviceId, timestamp: 1766000000000 + timestamp, type: 'maintenance' }))
    return { input: 1, partition: 0, offset, appendTimeMs: 1766000000000 + timestamp, line }
  }
  const lettersOf = (host: TestHost) =>
    host.outputs
      .filter(({ topic }) => topic === 'dead-letters')
      .map(({ line }) => JSON.parse(line))
      .map(({ reason, topic, deviceId }) => [reason, topic, deviceId])

  test('has the records of others made dead letters, readings and events, until one is forgotten', () => {
    const host = new TestHost(createGuest(plan, nodeHost), { ...configuration, cacheKeysMax: 1 }, { keysMax: 2 })
    host.bundle([record('a', 0, 0), record('b', 0, 1), record('c', 0, 2), event('d', 0, 3), record('c', 10, 4)])
    host.bundle([record('a', 40_000, 5), record('c', 40_000, 6)])
    const letters = [
      ['devices-max', 'sensor-data', 'c'],
      ['devices-max', 'device-events', 'd'],
      ['devices-max', 'sensor-data', 'c'],
      ['devices-max', 'sensor-data', 'c'],
    ]
    expect(lettersOf(host)).toEqual(letters)
    expect([...host.keys]).toEqual(['a', 'b'])
    host.watermark(1766000000000 + 61_000)
    expect([...host.keys]).toEqual(['a'])
    host.bundle([event('d', 61_000, 7), record('c', 61_000, 8)])
    expect(lettersOf(host)).toEqual([...letters, ['devices-max', 'sensor-data', 'c']])
    expect([...host.keys]).toEqual(['a', 'd'])
    expect(host.counters()['dead_letters_total{reason="devices-max"}']).toBe(5)
  })

  test('gets the room back of a device that did not begin', () => {
    const fragile = planOf({
      window: { kind: 'per-reading' },
      features: {
        fragile: {
          kind: 'custom',
          channels: ['x'],
          compute: () => {
            throw new Error('always')
          },
        },
      },
    })
    const host = new TestHost(createGuest(fragile, nodeHost), configuration, { keysMax: 1 })
    host.bundle([record('a', 0, 0)])
    host.bundle([record('b', 0, 1)])
    expect(lettersOf(host).map(([reason, , device]) => [reason, device])).toEqual([
      ['function-failed', 'a'],
      ['function-failed', 'b'],
    ])
    expect([...host.keys]).toEqual([])
  })

  test('counts the devices that have a state at a barrier, and no others', () => {
    overScenarios((seed, each, steps) => {
      for (const keysMax of [1, 2, 1000]) {
        const host = runGuest(each, steps, seed, { cacheKeysMax: 2, keysMax })
        host.checkpoint()
        expect([...host.keys].sort(), `seed ${seed}`).toEqual([...host.states.keys()].sort())
        expect(host.states.size).toBeLessThanOrEqual(keysMax)
      }
    })
  })
})

describe('a function of the project that fails', () => {
  const plan = planOf({
    window: { kind: 'tumbling', sizeMs: 1000 },
    time: { graceMs: 0 },
    features: {
      fragile: {
        kind: 'custom',
        channels: ['x'],
        compute: ({ values }) => {
          if (values['x']?.includes(13)) throw new Error('thirteen')
          return 1
        },
      },
    },
  })
  const record = (deviceId: string, timestamp: number, x: number, offset: number): HostRecord => ({
    input: 0,
    partition: 0,
    offset,
    appendTimeMs: timestamp,
    line: encoder.encode(JSON.stringify({ deviceId, timestamp, x })),
  })

  test('makes the record that meets it a dead letter, and leaves its device and the others as they were', () => {
    const host = new TestHost(createGuest(plan, nodeHost), configuration)
    host.bundle([
      record('a', 1000, 13, 0),
      record('b', 1000, 1, 1),
      record('a', 2000, 1, 2),
      record('b', 2000, 1, 3),
      record('a', 1500, 2, 4),
      record('a', 2100, 1, 5),
    ])
    const letters = host.outputs.filter(({ topic }) => topic === 'dead-letters').map(({ line }) => JSON.parse(line))
    expect(letters.map(({ reason, deviceId, bytes }) => [reason, deviceId, JSON.parse(bytes).timestamp])).toEqual([
      ['function-failed', 'a', 2000],
      ['function-failed', 'a', 2100],
    ])
    expect(letters[0].message).toContain('thirteen')
    expect(host.outputs.filter(({ topic }) => topic === 'device-features').map(({ key }) => key)).toEqual(['b'])
    expect(host.counters()['dead_letters_total{reason="function-failed"}']).toBe(2)
  })

  test('does not stop a timer, which then leaves the silence to the next record', () => {
    const host = new TestHost(createGuest(plan, nodeHost), configuration)
    host.bundle([record('a', 1000, 13, 0)])
    host.watermark(1e9)
    expect(host.outputs).toEqual([])
    expect(host.counters()['timers_failed_total']).toBe(1)
    expect([...(host.timers.get('a') ?? [])]).toEqual([])
  })
})

test('a failure that is not the project names the record (G4)', () => {
  // A window kind that no plan has breaks where a reading is added.
  const plan = planOf({
    window: { kind: 'per-reading' },
    features: {
      broken: {
        kind: 'derived',
        of: [],
        compute: () => {
          throw new Proxy(
            {},
            {
              getPrototypeOf: () => {
                throw new TypeError('not even an error')
              },
            },
          )
        },
      },
    },
  })
  const host = new TestHost(createGuest(plan, nodeHost), configuration)
  const line = encoder.encode('{"deviceId":"a","timestamp":1766000000000,"x":1}')
  const bundle = [{ input: 0, partition: 2, offset: 77, appendTimeMs: 1766000000000, line }]
  let thrown: unknown
  try {
    host.bundle(bundle)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(GuestFailedError)
  expect((thrown as GuestFailedError).failure).toMatchObject({
    message: 'not even an error',
    topic: 'sensor-data',
    partition: 2,
    offset: 77,
  })
})

test('an update that is refused is a dead letter with its bytes, of one guest alone', () => {
  const updates = [encoder.encode('{"name":"prèss"}'), Uint8Array.of(0xff, 0x7b)]
  const letters = [0, 1].map((subtask) => {
    const host = new TestHost(createGuest(planOf(), nodeHost), { ...configuration, subtask })
    host.control(updates.map((value, offset) => ({ key: `${offset}`, value, appendTimeMs: 1, offset })))
    expect(host.counters()['model_updates_refused_total']).toBe(2)
    return host.outputs.map(({ line }) => JSON.parse(line))
  })
  expect(letters[0]?.map(({ bytes, encoding }) => [bytes, encoding])).toEqual([
    ['{"name":"prèss"}', 'utf-8'],
    ['/3s=', 'base64'],
  ])
  expect(letters[1]).toEqual([])
})

test('each message carries the append time of what caused it: its record, or the time that a timer was told', () => {
  const plan = planOf({ window: { kind: 'tumbling', sizeMs: 1000 }, time: { graceMs: 0 } })
  const host = new TestHost(createGuest(plan, nodeHost), configuration)
  const record = (deviceId: string, timestamp: number, appendTimeMs: number, offset: number): HostRecord => ({
    input: 0,
    partition: 0,
    offset,
    appendTimeMs,
    line: encoder.encode(JSON.stringify({ deviceId, timestamp: 1766000000000 + timestamp, x: 1 })),
  })
  const appended = 1766000005000
  host.bundle([record('a', 0, appended, 0), record('b', 0, appended + 1, 1), record('a', 5000, appended + 70, 2)])
  expect(host.outputs.map(({ topic, key, causeTimeMs }) => [topic, key, causeTimeMs])).toEqual([
    ['device-features', 'a', appended + 70],
  ])
  host.watermark(1.8e12)
  const later = host.outputs.slice(1)
  expect(later.map(({ topic }) => topic)).toContain('device-status')
  expect(new Set(later.map(({ causeTimeMs }) => causeTimeMs))).toEqual(new Set([1.8e12]))
})
