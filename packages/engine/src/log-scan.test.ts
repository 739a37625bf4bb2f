import { MemoryDisk } from '@millwright/testkit'
import { expect, test } from 'vitest'
import { encodeFrame, frameHeaderBytes } from './frame.ts'
import { requireThrough, scanLog } from './log-scan.ts'
import { segmentPath } from './segment-names.ts'
import { SegmentedLog } from './segmented-log.ts'

const directory = '/log'
const path = segmentPath(directory, 0)

/** Three groups of two records, each group synced before the next; returns the bytes and where frames begin. */
async function threeGroups(): Promise<{ bytes: Uint8Array; starts: number[] }> {
  const disk = new MemoryDisk()
  disk.makeDirectory(directory)
  const log = new SegmentedLog(disk, directory, scanLog(disk, directory), {
    segmentBytesMax: 1e6,
    head: () => Buffer.from('{}'),
  })
  const starts: number[] = []
  for (let group = 0; group < 3; group++) {
    for (let n = 0; n < 2; n++) {
      starts.push(log.end.bytes)
      const baseOffset = log.end.offset
      const header = {
        kind: 'readings',
        syncedBefore: false,
        baseOffset,
        appendTimeMs: baseOffset,
        recordCount: 1,
      } as const
      log.append(encodeFrame(header, new Uint8Array(0), Buffer.from(`record ${baseOffset}\n`)), 1, baseOffset)
    }
    await log.sync()
  }
  return { bytes: disk.files().get(path) ?? new Uint8Array(0), starts }
}

function scanned(bytes: Uint8Array) {
  const disk = new MemoryDisk()
  disk.place(path, bytes)
  return { disk, scan: () => scanLog(disk, directory) }
}

test('scanLog() takes a damaged byte in a frame that a later frame knows as synced for damage (F3)', async () => {
  const { bytes, starts } = await threeGroups()
  for (let at = 0; at < (starts[4] as number); at++) {
    const damaged = bytes.slice()
    damaged[at] = (damaged[at] as number) ^ 0x10
    const { disk, scan } = scanned(damaged)
    expect(scan, `byte ${at}`).toThrow(expect.objectContaining({ code: 'LOG_CORRUPT', retry: 'never' }))
    expect(disk.files().get(path)).toEqual(damaged)
  }
})

test('LogCorruptError names segment, byte, what was expected and found', async () => {
  const { bytes, starts } = await threeGroups()
  const at = (starts[1] as number) + frameHeaderBytes
  bytes[at] = 0
  expect(scanned(bytes).scan).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({
        segment: '0000000000000000.mwlog',
        offsetBytes: starts[1],
        fault: 'payload-checksum',
        expected: expect.stringMatching(/^0x/),
        found: expect.stringMatching(/^0x/),
      }),
    }),
  )
})

test('scanLog() takes what cannot be read in the last group for a torn tail, and keeps what is before it', async () => {
  const { bytes, starts } = await threeGroups()
  for (let at = starts[4] as number; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at] = (damaged[at] as number) ^ 0x10
    const found = scanned(damaged).scan()
    const kept = at < (starts[5] as number) ? 4 : 5
    expect(found.end).toEqual({ segment: 0, bytes: starts[kept], offset: kept })
    expect(found.tornBytes).toBe(bytes.length - (starts[kept] as number))
  }
})

test('scanLog() of a log that was cut at any byte finds the whole frames before it', async () => {
  const { bytes, starts } = await threeGroups()
  for (let length = 0; length <= bytes.length; length++) {
    const { end, unbornSegment } = scanned(bytes.slice(0, length)).scan()
    expect(end.offset).toBe(
      starts.slice(1).filter((start) => start <= length).length + (length === bytes.length ? 1 : 0),
    )
    // A segment without a whole head was never used.
    expect(unbornSegment).toBe(length < (starts[0] as number) ? 0 : null)
  }
})

test('requireThrough() takes a tail for damage that the outputs or a snapshot say was durable', async () => {
  const { bytes, starts } = await threeGroups()
  const found = scanned(bytes.slice(0, starts[5])).scan()
  expect(() => requireThrough(directory, found, 5)).not.toThrow()
  expect(() => requireThrough(directory, found, 6)).toThrow(expect.objectContaining({ code: 'LOG_CORRUPT' }))
})
