import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readStateFile, writeStateFile } from './state-file.ts'

const anyEntry = fc.record({
  deviceId: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  state: fc.option(fc.uint8Array({ maxLength: 300 })),
})

test('readStateFile() gives back what writeStateFile() was given, forgotten devices included', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anyEntry, { selector: ({ deviceId }) => deviceId, maxLength: 60 }),
      async (entries) => {
        const disk = new MemoryDisk()
        const summary = await writeStateFile(disk, '/', 'base', entries)
        expect(summary).toMatchObject({ name: 'base', entryCount: entries.length })
        expect([...readStateFile(disk, '/', summary)]).toEqual(entries)
      },
    ),
    { seed: 5, numRuns: 50 },
  )
})

test('a state larger than a frame stands in a frame of its own', async () => {
  const disk = new MemoryDisk()
  const entries = [3, 1_000_000, 5].map((length) => ({ deviceId: `d${length}`, state: new Uint8Array(length).fill(7) }))
  const summary = await writeStateFile(disk, '/', 'base', entries)
  expect([...readStateFile(disk, '/', summary)]).toEqual(entries)
})

test('a large file is written in slices, and what else waits gets its turn between them (R1)', async () => {
  const disk = new FaultDisk(new MemoryDisk())
  const entries = Array.from({ length: 40_000 }, (_, n) => ({ deviceId: `device ${n}`, state: new Uint8Array(500) }))
  let turns = 0
  let isDone = false
  const others = (async () => {
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve))
      turns += 1
    }
  })()
  const before = disk.operationCount
  const summary = await writeStateFile(disk, '/', 'base', entries)
  isDone = true
  await others
  expect(summary.byteLength).toBeGreaterThan(20_000_000)
  expect(turns).toBeGreaterThanOrEqual(15)
  // Twenty writes and a sync every eight megabytes, so that no other file's sync waits for all of it.
  expect(disk.operationCount - before).toBeGreaterThanOrEqual(22)
})

test('a file that is longer, shorter or gone is damaged', async () => {
  const disk = new MemoryDisk()
  const summary = await writeStateFile(disk, '/', 'base', [{ deviceId: 'a', state: new Uint8Array(9) }])
  const read = (): unknown => [...readStateFile(disk, '/', summary)]
  const bytes = disk.files().get('/base') as Uint8Array
  for (const changed of [bytes.slice(0, -1), new Uint8Array([...bytes, 0]), new Uint8Array(0)]) {
    disk.place('/base', changed)
    expect(read).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }))
  }
  disk.unlink('/base')
  expect(read).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }))
})
