import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { afterEach, expect, test } from 'vitest'
import { listTopics } from './list-topics.ts'
import { testPackage } from './testing/sum-operator.ts'
import { closingTestEngines, ManualClock, part, storedOutputs } from './testing/test-engine.ts'
import { openTopicReader, type TopicReaderOptions } from './topic-reader.ts'

const open = closingTestEngines(afterEach)

const read = (disk: MemoryDisk | FaultDisk, options: Omit<TopicReaderOptions, 'directory'>) =>
  openTopicReader({ directory: '/data', disk, ...options })

const texts = (records: Iterable<{ value: Uint8Array }>): string[] =>
  [...records].map(({ value }) => Buffer.from(value).toString())

test('openTopicReader() yields readings and events of the input log apart, with their offsets and original bytes', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock(5000)
  const engine = await open({ disk, clock })
  await engine.append('sensor-data', [{ partition: 0, lines: Uint8Array.of(0xff, 0x20, 10, 0x61), lineCount: 2 }])
  await engine.append('device-events', [part(0, 'a reset')])
  clock.advance(1000)
  await engine.append('sensor-data', [part(0, '', 'b 2'), part(1, 'c 3')])
  expect([...read(disk, { topic: 'sensor-data', partition: 0 })]).toEqual([
    { partition: 0, offset: 0, appendTimeMs: 5000, key: null, value: Buffer.from([0xff, 0x20]) },
    { partition: 0, offset: 1, appendTimeMs: 5000, key: null, value: Buffer.from('a') },
    { partition: 0, offset: 3, appendTimeMs: 6000, key: null, value: Buffer.from('') },
    { partition: 0, offset: 4, appendTimeMs: 6000, key: null, value: Buffer.from('b 2') },
  ])
  expect([...read(disk, { topic: 'device-events' })]).toMatchObject([{ partition: 0, offset: 2 }])
})

test('outputs have the device as key; updates the name of the model', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk })
  await engine.publish(testPackage('1'))
  await engine.append('sensor-data', [part(0, 'a 1', 'a 2', 'a 3')])
  await engine.drained()
  expect([...read(disk, { topic: 'device-features' })]).toMatchObject([
    { key: 'a', offset: 0 },
    { key: 'a', offset: 1 },
  ])
  const [update] = [...read(disk, { topic: 'model-updates' })]
  expect(update).toMatchObject({ partition: 0, offset: 0, key: 'sums' })
  expect(JSON.parse(Buffer.from(update?.value ?? []).toString())).toMatchObject({ name: 'sums', version: '1' })
})

test('a reader sees what is written after it was opened, over segments, and follows until it is told to stop', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk, segmentBytesMax: 400 })
  const reader = read(disk, { topic: 'sensor-data' })
  expect(reader.next()).toBeNull()
  const stop = new AbortController()
  const seen: string[] = []
  const following = (async () => {
    for await (const { value } of reader.follow({ signal: stop.signal, pollMs: 1 })) {
      seen.push(Buffer.from(value).toString())
      if (seen.length === 100) stop.abort()
    }
  })()
  for (let n = 0; n < 50; n++) await engine.append('sensor-data', [part(0, `a ${n}`), part(1, `b ${n}`)])
  await following
  for (const device of ['a', 'b'])
    expect(seen.filter((text) => text.startsWith(device))).toEqual(
      Array.from({ length: 50 }, (_, n) => `${device} ${n}`),
    )
})

test('partitions are merged by append time', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const engine = await open({ disk, clock })
  for (let n = 0; n < 10; n++) {
    await engine.append('sensor-data', [part((n * 7) % 2, `${n}`)])
    clock.advance(10)
  }
  expect(texts(read(disk, { topic: 'sensor-data' }))).toEqual(Array.from({ length: 10 }, (_, n) => `${n}`))
})

test('reading begins at any offset and at any time', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock(1000)
  const engine = await open({ disk, clock, segmentBytesMax: 300 })
  for (let n = 0; n < 30; n++) {
    await engine.append('sensor-data', [part(0, `${2 * n}`, `${2 * n + 1}`)])
    clock.advance(100)
  }
  const all = Array.from({ length: 60 }, (_, n) => `${n}`)
  for (const fromOffset of [0, 1, 17, 58, 59, 60, 1000])
    expect(texts(read(disk, { topic: 'sensor-data', partition: 0, fromOffset }))).toEqual(all.slice(fromOffset))
  for (const [fromTimeMs, first] of [
    [0, 0],
    [1000, 0],
    [1001, 2],
    [2500, 30],
    [3900, 58],
    [3901, 60],
  ] as const)
    expect(texts(read(disk, { topic: 'sensor-data', fromTimeMs }))).toEqual(all.slice(first))
})

test('a reader stops at a tail that is being written, and goes on when it is whole', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk })
  await engine.append('sensor-data', [part(0, 'a 1')])
  await engine.append('sensor-data', [part(0, 'a 2')])
  const path = '/data/input/0/0000000000000000.mwlog'
  const whole = disk.files().get(path) as Uint8Array
  for (let length = 0; length <= whole.length; length++) {
    const copy = disk.copy()
    copy.place(path, whole.slice(0, length))
    const reader = read(copy, { topic: 'sensor-data', partition: 0 })
    const before = texts(reader)
    expect(['a 1', 'a 2'].slice(0, before.length)).toEqual(before)
    const file = copy.open(path, 'write')
    file.write(whole.subarray(length), length)
    expect([...before, ...texts(reader)]).toEqual(['a 1', 'a 2'])
  }
})

test('a reader jumps over what retention has removed', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock()
  const retention = { readingsMs: 1000, outputsMs: 1e12, diskBytesMax: 1e12 }
  const engine = await open({ disk, clock, segmentBytesMax: 300, retention })
  const reader = read(disk, { topic: 'sensor-data', partition: 0 })
  const append = async (from: number): Promise<void> => {
    for (let n = from; n < from + 20; n++) await engine.append('sensor-data', [part(0, `${n}`)])
    await engine.drained()
    await engine.snapshot()
  }
  await append(0)
  expect(reader.next()).toMatchObject({ offset: 0 })
  await append(20)
  await append(40)
  clock.advance(10_000)
  await engine.retain()
  const rest = [...reader].map(({ offset }) => offset)
  expect(rest.at(-1)).toBe(59)
  expect(rest.length).toBeLessThan(59)
  expect(rest).toEqual([...rest].sort((a, b) => a - b))
})

test('a reader goes back where the owner had to cut off a tail that could not be made durable, and no further', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const engine = await open({ disk })
  for (let n = 0; n < 5; n++) await engine.append('sensor-data', [part(0, `a ${n}`)])
  const reader = read(disk, { topic: 'sensor-data', partition: 0 })
  expect(texts(reader)).toHaveLength(5)
  let seen: string[] = []
  disk.fail({ operation: 'sync', fault: 'fail' })
  const write = disk.open.bind(disk)
  disk.open = (path, mode) => {
    // The log is opened anew to be cut: the reader looks a moment before.
    if (mode === 'write' && seen.length === 0) seen = texts(reader)
    return write(path, mode)
  }
  const withdrawn = engine.append('sensor-data', [part(0, 'withdrawn 1', 'withdrawn 2')])
  await expect(withdrawn).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(seen).toEqual(['withdrawn 1', 'withdrawn 2'])
  await engine.append('sensor-data', [part(0, 'b')])
  expect(texts(reader)).toEqual(['b'])
})

test('damage before the end is an error, not an end', async () => {
  const disk = new MemoryDisk()
  const engine = await open({ disk, segmentBytesMax: 300 })
  for (let n = 0; n < 20; n++) await engine.append('sensor-data', [part(0, `${n}`)])
  const path = '/data/input/0/0000000000000000.mwlog'
  const bytes = disk.files().get(path) as Uint8Array
  const last = bytes.length - 1
  bytes[last] = (bytes[last] as number) ^ 1
  const copy = disk.copy()
  copy.place(path, bytes)
  expect(() => texts(read(copy, { topic: 'sensor-data', partition: 0 }))).toThrow(
    expect.objectContaining({ code: 'LOG_CORRUPT' }),
  )
})

test('a reader of what is not there says so', async () => {
  const disk = new MemoryDisk()
  expect(() => read(disk, { topic: 'sensor-data' })).toThrow(expect.objectContaining({ code: 'STORE_VERSION' }))
  await open({ disk })
  expect(() => read(disk, { topic: 'nothing' as 'sensor-data', partition: 9 })).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION', problems: [expect.anything(), expect.anything()] }),
  )
})

test('listTopics() says what is where', async () => {
  const disk = new MemoryDisk()
  const clock = new ManualClock(1000)
  const engine = await open({ disk, clock, segmentBytesMax: 400 })
  for (let n = 0; n < 20; n++) {
    await engine.append('sensor-data', [part(1, `a ${n}`)])
    clock.advance(10)
  }
  await engine.drained()
  const topics = listTopics('/data', disk)
  expect(topics.find(({ topic, partition }) => topic === 'sensor-data' && partition === 1)).toMatchObject({
    firstOffset: 0,
    endOffset: 20,
    newestAppendTimeMs: 1190,
  })
  expect(topics.find(({ topic, partition }) => topic === 'device-features' && partition === 1)?.endOffset).toBe(
    storedOutputs(disk, 'device-features', 1).length,
  )
  expect(topics.find(({ topic, partition }) => topic === 'alert-signals' && partition === 0)).toMatchObject({
    endOffset: 0,
    newestAppendTimeMs: null,
  })
  expect(topics.filter(({ topic }) => topic === 'model-updates')).toHaveLength(1)
})

test('openTopicReader() says of a folder that is none whether it is there at all', () => {
  const disk = new MemoryDisk()
  expect(() => read(disk, { topic: 'sensor-data' })).toThrow('it does not exist')
  disk.makeDirectory('/data')
  expect(() => read(disk, { topic: 'sensor-data' })).toThrow('it has no file "format"')
})
