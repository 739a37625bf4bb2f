import { type Disk, InvariantError, limits } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { beforeEach, expect, test } from 'vitest'
import type { Frame } from './frame-reader.ts'
import { decodeSourceExtension } from './input-extension.ts'
import { LogCursor } from './log-cursor.ts'
import { PartitionInput, type Settle, scanInput } from './partition-input.ts'
import { ManualClock } from './testing/test-engine.ts'

const directory = '/input'
let disk: FaultDisk
let memory: MemoryDisk
let clock: ManualClock
let elapsedMs: number
let broken: Error[]

beforeEach(() => {
  memory = new MemoryDisk()
  disk = new FaultDisk(memory)
  disk.makeDirectory(directory)
  disk.syncDirectory('/')
  clock = new ManualClock(1000)
  elapsedMs = 0
  broken = []
})

function openInput(options: { segmentBytesMax?: number; onDurable?: () => void } = {}): PartitionInput {
  return new PartitionInput({
    partition: 0,
    disk,
    directory,
    scanned: scanInput(disk, directory),
    segmentBytesMax: options.segmentBytesMax ?? 1_000_000,
    clock,
    elapsedMs: () => elapsedMs,
    onDurable: options.onDurable ?? (() => undefined),
    onCommit: () => undefined,
    onBroken: (error) => broken.push(error),
    onPhase: null,
  })
}

interface Source {
  readonly id: string
  readonly positions: readonly number[]
}

/** Resolves to how many lines were there already, once they are durable. */
function append(input: PartitionInput, lines: string, source?: Source): Promise<number> {
  const bytes = Buffer.from(lines)
  const lineCount = lines.split('\n').length - (lines.endsWith('\n') ? 1 : 0)
  return new Promise((resolve, reject) => {
    let known = 0
    const settle: Settle = (error) => (error === null ? queueMicrotask(() => resolve(known)) : reject(error))
    const lineSource =
      source === undefined
        ? null
        : {
            id: source.id,
            position: source.positions.at(-1) ?? 0,
            linePositions: Float64Array.from(source.positions),
            acknowledged: 0,
          }
    known = input.stageLines('readings', { bytes, lineCount, source: lineSource }, settle)
  })
}

interface StoredFrame {
  readonly kind: string
  readonly baseOffset: number
  readonly recordCount: number
  readonly appendTimeMs: number
  readonly body: string
  readonly source: ReturnType<typeof decodeSourceExtension>
}

function stored(from: Disk = disk): StoredFrame[] {
  const cursor = new LogCursor(from, directory, { segment: 0, bytes: 0, offset: 0 })
  const found: StoredFrame[] = []
  for (let frame: Frame | null = cursor.next(null); frame !== null; frame = cursor.next(null)) {
    const { kind, baseOffset, recordCount, appendTimeMs } = frame.header
    const source = kind === 'readings' ? decodeSourceExtension(frame.extension) : null
    if (kind !== 'log-state')
      found.push({ kind, baseOffset, recordCount, appendTimeMs, body: frame.body.toString(), source })
  }
  return found
}

test('lines of one turn share a frame and a sync; each line ends in a newline', async () => {
  const input = openInput()
  const before = disk.operationCount
  await Promise.all([append(input, 'a\nb\n'), append(input, 'c'), append(input, 'd\n')])
  expect(disk.operationCount - before).toBe(2)
  expect(stored()).toMatchObject([{ kind: 'readings', baseOffset: 0, recordCount: 4, body: 'a\nb\nc\nd\n' }])
})

test('append time is that of the log: it never falls, and outlives the process (A1)', async () => {
  const input = openInput()
  await append(input, 'a')
  clock.advance(-500)
  await append(input, 'b')
  input.close()
  const next = openInput()
  await append(next, 'c')
  clock.advance(5000)
  await append(next, 'd')
  expect(stored().map(({ appendTimeMs }) => appendTimeMs)).toEqual([1000, 1000, 1000, 5500])
})

test('settle comes after the sync that covers the lines, never before (P1)', async () => {
  const input = openInput()
  let settled = false
  const done = append(input, 'a').then(() => {
    settled = true
  })
  expect(input.durable.offset).toBe(0)
  expect(settled).toBe(false)
  await done
  expect(input.durable.offset).toBe(1)
  for (let seed = 0; seed < 10; seed++) expect(stored(memory.afterPowerCut(seed))).toHaveLength(1)
})

test('lines of a source at or before its position are not appended again, however they are cut (P2, A2)', async () => {
  const input = openInput()
  expect(await append(input, 'a\nb\nc\n', { id: 'file', positions: [2, 4, 6] })).toBe(0)
  expect(await append(input, 'b\nc\nd\n', { id: 'file', positions: [4, 6, 8] })).toBe(2)
  input.close()
  const next = openInput()
  expect(await append(next, 'c\nd\n', { id: 'file', positions: [6, 8] })).toBe(2)
  expect(await append(next, 'c\n', { id: 'other', positions: [6] })).toBe(0)
  expect(stored().map(({ body, source }) => [body, source?.id, source?.position])).toEqual([
    ['a\nb\nc\n', 'file', 6],
    ['d\n', 'file', 8],
    ['c\n', 'other', 6],
  ])
})

test('a repetition of lines that are on their way is answered when the first copy is durable (P2, A2)', async () => {
  const input = openInput()
  const first = append(input, 'a\n', { id: 'file', positions: [2] })
  let answered = false
  const second = append(input, 'a\n', { id: 'file', positions: [2] }).then(() => {
    answered = true
  })
  expect(answered).toBe(false)
  await first
  await second
  expect(stored()).toHaveLength(1)
})

test('positions survive the retention of the frames they stood in', async () => {
  const input = openInput({ segmentBytesMax: 300 })
  await append(input, 'a\n', { id: 'file', positions: [2] })
  for (let n = 0; n < 20; n++) await append(input, `filler ${n}`)
  for (const base of input.segments.slice(0, -1)) {
    disk.unlink(`${directory}/${String(base).padStart(16, '0')}.mwlog`)
    input.forgetOldestSegment()
  }
  input.close()
  const next = openInput({ segmentBytesMax: 300 })
  expect(next.state.sourcePosition('file')).toBe(2)
  expect(await append(next, 'a\n', { id: 'file', positions: [2] })).toBe(1)
})

test('after a failed group nothing staged is kept, positions included, and the next append succeeds (P3, A3)', async () => {
  const input = openInput()
  await append(input, 'a\n', { id: 'file', positions: [2] })
  disk.fail({ operation: 'sync', fault: 'fail' })
  const failing = [append(input, 'b\n', { id: 'file', positions: [4] }), append(input, 'x')]
  for (const result of await Promise.allSettled(failing))
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'DISK_FAILED', retry: 'later' } })
  input.requireWritable()
  expect(await append(input, 'b\nc\n', { id: 'file', positions: [4, 6] })).toBe(0)
  expect(stored().map(({ body, baseOffset }) => [body, baseOffset])).toEqual([
    ['a\n', 0],
    ['b\nc\n', 1],
  ])
})

test('what is staged while a group fails is rejected with it (P3, A3)', async () => {
  const input = openInput()
  disk.fail({ operation: 'sync', fault: 'fail' })
  const first = append(input, 'a')
  await Promise.resolve()
  const second = append(input, 'b')
  await expect(first).rejects.toMatchObject({ code: 'DISK_FAILED' })
  await expect(second).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(stored()).toEqual([])
})

test('what is broken in ours is not taken for the disk: the plant is told to stop', async () => {
  const input = openInput({
    onDurable: () => {
      throw new InvariantError('something that should hold does not')
    },
  })
  await expect(append(input, 'a')).rejects.toMatchObject({ code: 'INVARIANT' })
  expect(broken).toMatchObject([{ code: 'INVARIANT' }])
  const other = openInput()
  disk.fail({ operation: 'sync', fault: 'fail' })
  await expect(append(other, 'a')).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(broken).toHaveLength(1)
})

test('a disk that stays full is said so at once, and is tried again only after a moment', async () => {
  const input = openInput()
  disk.fail({ operation: 'write', fault: 'no-space' })
  disk.fail({ operation: 'truncate', fault: 'fail', count: 2 })
  await expect(append(input, 'a')).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect(() => input.requireWritable()).toThrow('a moment ago')
  elapsedMs += 300
  expect(() => input.requireWritable()).toThrow('EIO')
  elapsedMs += 300
  input.requireWritable()
  await append(input, 'a')
  expect(stored()).toHaveLength(1)
})

test('a part longer than a frame is split at lines; a longer single line stands in a frame of its own', async () => {
  const input = openInput({ segmentBytesMax: 10_000_000 })
  const line = `${'x'.repeat(99)}\n`
  const long = `${'y'.repeat(limits.frameBytesMax + 5)}\n`
  await append(input, `${line.repeat(6000)}${long}z\n`)
  const frames = stored()
  expect(frames.map(({ body }) => body).join('')).toBe(`${line.repeat(6000)}${long}z\n`)
  expect(frames.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(6002)
  for (const { body, recordCount, baseOffset } of frames) {
    expect(body.length <= limits.frameBytesMax || recordCount === 1).toBe(true)
    expect(body.split('\n').length - 1).toBe(recordCount)
    expect(baseOffset).toBe(frames.filter((f) => f.baseOffset < baseOffset).reduce((n, f) => n + f.recordCount, 0))
  }
})

test('each frame of a split part says the position of its own last line', async () => {
  const input = openInput({ segmentBytesMax: 10_000_000 })
  const lineCount = 6000
  const positions = Array.from({ length: lineCount }, (_, n) => 100 * (n + 1))
  await append(input, `${'x'.repeat(99)}\n`.repeat(lineCount), { id: 'file', positions })
  const frames = stored()
  expect(frames.length).toBeGreaterThan(1)
  for (const { baseOffset, recordCount, source } of frames)
    expect(source?.position).toBe(100 * (baseOffset + recordCount))
})

test('heartbeats come ever more rarely where nothing else does, and a year of them is small', async () => {
  const input = openInput()
  await append(input, 'a')
  const beat = async (afterMs: number): Promise<number> => {
    elapsedMs += afterMs
    clock.advance(afterMs)
    input.heartbeatIfDue(1000)
    await input.idle()
    return stored().filter(({ kind }) => kind === 'heartbeat').length
  }
  expect(await beat(500)).toBe(0)
  expect(await beat(500)).toBe(1)
  expect(await beat(999)).toBe(1)
  expect(await beat(1)).toBe(2)
  // After an hour of nothing they are a minute apart.
  await beat(3_600_000)
  const before = await beat(0)
  expect(await beat(59_000)).toBe(before)
  expect(await beat(1000)).toBe(before + 1)
  await append(input, 'b')
  const after = await beat(0)
  expect(await beat(1000)).toBe(after + 1)
})

test('heartbeats come among readings too, also while these are being written', async () => {
  const input = openInput()
  for (let tenth = 0; tenth < 100; tenth++) {
    elapsedMs += 100
    clock.advance(100)
    const appended = append(input, 'a')
    input.heartbeatIfDue(1000)
    await appended
  }
  await input.idle()
  expect(stored().filter(({ kind }) => kind === 'heartbeat')).toHaveLength(10)
})

test('a heartbeat never comes where the clock is behind the log (A1)', async () => {
  const input = openInput()
  await append(input, 'a')
  clock.advance(-10_000)
  elapsedMs += 100_000
  input.heartbeatIfDue(1000)
  await input.idle()
  expect(stored()).toHaveLength(1)
})

test('a partition remembers a bounded number of sources and forgets the one silent longest', async () => {
  const input = openInput({ segmentBytesMax: 10_000_000 })
  for (let n = 0; n < limits.sourcesMax; n++) void append(input, 'x\n', { id: `file ${n}`, positions: [2] })
  await append(input, 'y\n', { id: 'file 0', positions: [4] })
  await append(input, 'z\n', { id: 'one more', positions: [2] })
  expect(input.state.sourceIds).toHaveLength(limits.sourcesMax)
  expect(input.state.sourcePosition('file 0')).toBe(4)
  expect(input.state.sourcePosition('file 1')).toBe(0)
  expect(input.state.forgottenSources).toBe(1)
})

test('bytesBehind() counts over segments', async () => {
  const input = openInput({ segmentBytesMax: 300 })
  const start = input.durable
  for (let n = 0; n < 20; n++) await append(input, `record ${n}`)
  const total = [...memory.files().values()].reduce((sum, bytes) => sum + bytes.length, 0)
  expect(input.segments.length).toBeGreaterThan(2)
  expect(input.bytesBehind(start)).toBe(total - start.bytes)
  expect(input.bytesBehind(input.durable)).toBe(0)
})
