import type { DeviceStateEntry, PartitionOperator } from '@millwright/core'
import { FaultDisk, MemoryDisk, PowerCutError } from '@millwright/testkit'
import { beforeEach, expect, test } from 'vitest'
import { SnapshotStore } from './snapshot-store.ts'

const directory = '/state'
let memory: MemoryDisk
let disk: FaultDisk

beforeEach(() => {
  memory = new MemoryDisk()
  disk = new FaultDisk(memory)
  disk.makeDirectory(directory)
  disk.syncDirectory('/')
})

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const entry = (deviceId: string, text: string | null): DeviceStateEntry => ({
  deviceId,
  state: text === null ? null : bytes(text),
})

function cut(sequence: number, deviceCount = 1000) {
  const shared = { appendClockMs: sequence, activations: [], counters: {} }
  const input = { segment: 0, bytes: 0, offset: sequence }
  return { identity: 'x', savedAtMs: 1, input, outputs: {}, shared, deviceCount }
}

/** Saves what changed. */
async function save(store: SnapshotStore, sequence: number, entries: DeviceStateEntry[], deviceCount?: number) {
  store.keep(entries)
  return await store.save(cut(sequence, deviceCount))
}

/** Loads with an operator that only takes states; returns them, and where the snapshot stands. */
async function load(from: MemoryDisk | FaultDisk = disk) {
  let states = new Map<string, string>()
  const store = new SnapshotStore(from, directory, 0)
  const { manifest, damage } = await store.load('x', () => {
    states = new Map()
    const restore = ({ deviceId, state }: DeviceStateEntry): void => {
      expect(states.has(deviceId)).toBe(false)
      states.set(deviceId, Buffer.from(state ?? []).toString())
    }
    return { restore } as unknown as PartitionOperator
  })
  return { store, at: manifest?.input.offset ?? null, states: Object.fromEntries([...states].sort()), damage }
}

const names = (prefix: string): string[] => disk.list(directory).filter((name) => name.startsWith(prefix))

test('SnapshotStore adds deltas to a base and folds them into a new one when they are as large', async () => {
  const { store } = await load()
  const all = Array.from({ length: 50 }, (_, n) => entry(`device ${n}`, `state 0 of ${n}`))
  await save(store, 1, all)
  let rebasedAt = 0
  for (let sequence = 2; rebasedAt === 0; sequence++) {
    await save(store, sequence, [entry('device 1', `state ${sequence}`), entry(`device ${sequence}`, null)])
    if (names('base').length === 2) rebasedAt = sequence
    expect((await load()).states['device 1']).toBe(`state ${sequence}`)
    expect((await load()).states[`device ${sequence}`]).toBeUndefined()
  }
  expect(rebasedAt).toBeGreaterThan(3)
  expect((await load()).store.newest?.files).toHaveLength(1)
})

test('SnapshotStore writes a base at once where every device changed', async () => {
  const { store } = await load()
  await save(store, 1, [entry('a', '1'), entry('b', '1')], 2)
  await save(store, 2, [entry('a', '2'), entry('b', '2')], 2)
  expect(store.newest?.files.map(({ name }) => name)).toEqual(['base-0000000002.mwstate'])
})

test('SnapshotStore keeps the two newest snapshots and removes the rest (T2)', async () => {
  const { store } = await load()
  for (let sequence = 1; sequence <= 5; sequence++) await save(store, sequence, [entry('a', `${sequence}`)], 1)
  expect(disk.list(directory)).toEqual([
    'base-0000000004.mwstate',
    'base-0000000005.mwstate',
    'snapshot-0000000004.mwsnapshot',
    'snapshot-0000000005.mwsnapshot',
  ])
  expect(store.kept.map(({ input }) => input.offset)).toEqual([5, 4])
  expect((await load()).store.kept.map(({ input }) => input.offset)).toEqual([5, 4])
})

test('a snapshot that failed is made good by the next, with everything that changed, under a name of its own (T3, T4)', async () => {
  const { store } = await load()
  await save(store, 1, [entry('a', '1'), entry('b', '1')])
  disk.fail({ operation: 'write', fault: 'no-space' })
  await expect(save(store, 2, [entry('a', '2')])).rejects.toMatchObject({ code: 'DISK_FULL', retry: 'later' })
  expect(await load()).toMatchObject({ at: 1, states: { a: '1', b: '1' } })
  await save(store, 3, [entry('b', '3')])
  expect(await load()).toMatchObject({ at: 3, states: { a: '2', b: '3' } })
  expect(disk.list(directory).filter((name) => name.includes('0002'))).toEqual([])
})

test.each([
  'base-0000000002.mwstate',
  'snapshot-0000000002.mwsnapshot',
])('any damaged byte of %s is seen, and the snapshot before it is used and said so', async (name) => {
  const { store } = await load()
  await save(store, 1, [entry('a', '1')], 1)
  await save(store, 2, [entry('a', '2')], 1)
  const path = `${directory}/${name}`
  const whole = memory.files().get(path) as Uint8Array
  for (let at = 0; at < whole.length; at++) {
    const damaged = memory.copy()
    const changed = whole.slice()
    changed[at] = (changed[at] as number) ^ 1
    damaged.place(path, changed)
    const loaded = await load(damaged)
    expect(loaded).toMatchObject({ at: 1, states: { a: '1' } })
    expect(loaded.damage?.message).toContain(name)
  }
})

test('where neither of the two newest snapshots is whole, loading fails, says what to do, and changes nothing', async () => {
  const { store } = await load()
  await save(store, 1, [entry('a', '1')], 1)
  await save(store, 2, [entry('a', '2')], 1)
  for (const name of names('base')) memory.place(`${directory}/${name}`, bytes('rubbish'))
  const before = memory.files()
  await expect(load()).rejects.toMatchObject({
    code: 'STATE_CORRUPT',
    message: expect.stringContaining(`Move "${directory}" away`),
  })
  expect(memory.files()).toEqual(before)
})

test('a snapshot of another identity is found, but its states are not read', async () => {
  const { store } = await load()
  store.keep([entry('a', '1')])
  await store.save({ ...cut(7), identity: 'another' })
  expect(await load()).toMatchObject({ at: 7, states: {}, damage: null })
})

test('a power cut at every operation of three snapshots leaves one of them whole, with all that was said to be saved (T1)', async () => {
  const saves = async (store: SnapshotStore, done: (sequence: number) => void): Promise<void> => {
    await save(store, 1, [entry('a', '1'), entry('b', '1')])
    done(1)
    await save(store, 2, [entry('a', '2')])
    done(2)
    await save(store, 3, [entry('a', '3'), entry('b', '3')], 2)
    done(3)
  }
  const expected = [{}, { a: '1', b: '1' }, { a: '2', b: '1' }, { a: '3', b: '3' }]
  for (let operation = 1, cutCount = 1; cutCount > 0; operation++) {
    memory = new MemoryDisk()
    memory.makeDirectory(directory)
    memory.syncDirectory('/')
    disk = new FaultDisk(memory)
    let saved = 0
    const { store } = await load()
    disk.cutPowerAt(operation)
    cutCount = 0
    await saves(store, (sequence) => {
      saved = sequence
    }).catch((error: unknown) => {
      expect((error as Error).cause).toBeInstanceOf(PowerCutError)
      cutCount = 1
    })
    for (let seed = 0; seed < 15; seed++) {
      const left = await load(memory.afterPowerCut(seed))
      expect(left.at ?? 0, `cut at ${operation}, seed ${seed}`).toBeGreaterThanOrEqual(saved)
      expect(left.states).toEqual(expected[left.at ?? 0])
    }
    // A process that finds what a killed one left may remove nothing that a power cut then still needs.
    const next = await load(memory)
    next.store.removeRests()
    for (let seed = 0; seed < 15; seed++)
      expect((await load(memory.afterPowerCut(seed))).at ?? 0).toBeGreaterThanOrEqual(next.at ?? 0)
  }
})
