import { type DiskFault, FaultDisk, MemoryDisk } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { encodeFrame } from './frame.ts'
import { LogCursor, oldestPosition } from './log-cursor.ts'
import { scanLog } from './log-scan.ts'
import { segmentPath } from './segment-names.ts'
import { SegmentedLog } from './segmented-log.ts'

const directory = '/log'

function openLog(disk: FaultDisk, segmentBytesMax = 400): SegmentedLog {
  disk.makeDirectory(directory)
  disk.syncDirectory('/')
  const options = { segmentBytesMax, head: () => Buffer.from('{}') }
  return new SegmentedLog(disk, directory, scanLog(disk, directory), options)
}

/** Appends one record of 60 bytes in all that says its offset. */
function append(log: SegmentedLog): void {
  const { offset } = log.end
  const header = {
    kind: 'readings',
    syncedBefore: false,
    baseOffset: offset,
    appendTimeMs: offset,
    recordCount: 1,
  } as const
  log.append(encodeFrame(header, new Uint8Array(0), Buffer.from(`${offset}\n`.padStart(28))), 1, offset)
}

function stored(disk: FaultDisk | MemoryDisk): number[] {
  const cursor = new LogCursor(disk, directory, oldestPosition(disk, directory) ?? { segment: 0, bytes: 0, offset: 0 })
  const offsets: number[] = []
  for (let frame = cursor.next(null); frame !== null; frame = cursor.next(null))
    if (frame.header.kind === 'readings') offsets.push(Number(frame.body.toString()))
  return offsets
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test('SegmentedLog rolls within its bound, and the next process goes on where it ended (S2, S4)', async () => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const log = openLog(disk)
  for (let n = 0; n < 20; n++) append(log)
  await log.sync()
  log.close()
  expect(log.segments.length).toBeGreaterThan(3)
  for (const path of memory.files().keys()) expect(memory.size(path)).toBeLessThanOrEqual(400)
  const again = openLog(disk)
  append(again)
  expect(stored(disk)).toEqual(range(21))
})

test.each<[string, DiskFault]>([
  ['a failed write', { operation: 'write', fault: 'fail' }],
  ['a full disk', { operation: 'write', fault: 'no-space' }],
  ['a short write', { operation: 'write', fault: 'short' }],
  ['a failed sync', { operation: 'sync', fault: 'fail' }],
])('SegmentedLog after %s takes nothing until recover() has cut back what is doubtful (S3)', async (_name, fault) => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const log = openLog(disk)
  append(log)
  append(log)
  await log.sync()
  disk.fail(fault)
  const failing = async (): Promise<void> => {
    append(log)
    await log.sync()
  }
  await expect(failing()).rejects.toMatchObject({ retry: 'later' })
  expect(log.failed).toBe(true)
  expect(() => append(log)).toThrow('recovered')
  log.recover()
  expect(log.end).toEqual(log.synced)
  expect(stored(disk)).toEqual([0, 1])
  append(log)
  await log.sync()
  expect(stored(memory.afterPowerCut(1))).toEqual([0, 1, 2])
})

test('SegmentedLog stays failed while the disk does, and recovers when it works (S3)', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const log = openLog(disk)
  append(log)
  disk.fail({ operation: 'sync', fault: 'fail', count: 3 })
  await expect(log.sync()).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(() => log.recover()).toThrow('EIO')
  expect(() => log.recover()).toThrow('EIO')
  expect(log.failed).toBe(true)
  log.recover()
  append(log)
  await log.sync()
  expect(stored(disk)).toEqual([0])
})

test('a failed sync is never made good by a later one: the frames are gone, also after a power cut (S1, S3)', async () => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const log = openLog(disk)
  append(log)
  await log.sync()
  append(log)
  disk.fail({ operation: 'sync', fault: 'fail' })
  await expect(log.sync()).rejects.toMatchObject({ code: 'DISK_FAILED' })
  expect(log.synced.offset).toBe(1)
  log.recover()
  for (let seed = 0; seed < 20; seed++) expect(stored(memory.afterPowerCut(seed))).toEqual([0])
})

const steps = ['create', 'write', 'sync', 'sync-directory'] as const

test.each(
  steps.flatMap((step) => [false, true].map((unlinkFails) => [step, unlinkFails] as const)),
)('SegmentedLog survives a failed %s while it makes a segment, and never leaves two ends (S2; unlink fails too: %s)', async (operation, unlinkFails) => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const log = openLog(disk)
  while (log.roomBytes >= 60) append(log)
  await log.sync()
  const { offset } = log.end
  disk.fail({ operation, fault: 'fail' })
  if (unlinkFails) disk.fail({ operation: 'unlink', fault: 'fail' })
  expect(() => append(log)).toThrow('EIO')
  // Nothing was made where creating failed, so there is nothing to unlink.
  if (unlinkFails && operation !== 'create') expect(() => log.recover()).toThrow('EIO')
  log.recover()
  append(log)
  await log.sync()
  expect(stored(disk)).toEqual(range(offset + 1))
  for (let seed = 0; seed < 20; seed++) expect(stored(memory.afterPowerCut(seed))).toEqual(range(offset + 1))
})

test('what was written but not synced by a process that was killed is synced by the next one (S1)', () => {
  const memory = new MemoryDisk()
  const log = openLog(new FaultDisk(memory))
  append(log)
  memory.killProcess()
  const next = openLog(new FaultDisk(memory))
  expect(next.synced.offset).toBe(1)
  for (let seed = 0; seed < 20; seed++) expect(stored(memory.afterPowerCut(seed))).toEqual([0])
})

test('an append that a sync does not cover may go on during it and is covered by the next (S1)', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const log = openLog(disk)
  append(log)
  const syncing = log.sync()
  append(log)
  await syncing
  expect(log.synced.offset).toBe(1)
  await log.sync()
  expect(log.synced.offset).toBe(2)
})

test('a reader of durable records whose file was taken away says so, where one that looks for what is there waits', async () => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const log = openLog(disk)
  append(log)
  await log.sync()
  const durable = log.end
  log.close()
  for (const path of [...memory.files().keys()]) disk.unlink(path)
  const cursor = new LogCursor(disk, directory, { segment: 0, bytes: 0, offset: 0 })
  expect(cursor.next(null)).toBeNull()
  expect(() => cursor.next(durable)).toThrow(/Cannot read "\/log\/.*a segment at 0.*found none/)
})

test('a reader that stood where a segment ended goes on with the next one after retention took the first', async () => {
  const memory = new MemoryDisk()
  const disk = new FaultDisk(memory)
  const log = openLog(disk)
  append(log)
  await log.sync()
  const endOfFirst = log.end
  while (log.segments.length === 1) append(log)
  await log.sync()
  const durable = log.end
  log.close()
  const [first = 0, second = 0] = log.segments
  disk.unlink(segmentPath(directory, first))
  for (const limit of [durable, null]) {
    const cursor = new LogCursor(disk, directory, { ...endOfFirst, offset: second })
    const frames: number[] = []
    for (let frame = cursor.next(limit); frame !== null; frame = cursor.next(limit))
      frames.push(frame.header.baseOffset)
    expect(frames[0]).toBe(second)
    expect(cursor.position).toEqual(durable)
  }
})
