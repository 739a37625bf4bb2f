import { join } from 'node:path'
import type { Disk } from '@millwright/core'
import { FaultDisk, MemoryDisk } from '@millwright/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { NodeDisk } from './node-disk.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/** Method: one suite for the real disk and for those that stand for it in tests, so that they agree. */
const disks: readonly (readonly [string, () => Disk])[] = [
  ['NodeDisk', () => new NodeDisk()],
  ['MemoryDisk', () => new MemoryDisk()],
  ['FaultDisk over a real folder', () => new FaultDisk(new NodeDisk())],
]

function folderOn(disk: Disk): string {
  if (disk instanceof MemoryDisk) {
    disk.makeDirectory('/folder')
    return '/folder'
  }
  return temporaryFolder(onTestFinished)
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

function content(disk: Disk, path: string): string {
  const file = disk.open(path, 'read')
  const into = new Uint8Array(file.size())
  expect(file.read(into, 0)).toBe(into.length)
  file.close()
  return Buffer.from(into).toString()
}

test.each(disks)('%s writes, reads, grows, cuts and syncs files', async (_name, make) => {
  const disk = make()
  const path = join(folderOn(disk), 'file')
  const file = disk.open(path, 'create')
  expect(file.write(bytes('hello'), 0)).toBe(5)
  expect(file.write(bytes('world'), 7)).toBe(5)
  expect(file.size()).toBe(12)
  file.sync()
  await file.syncAsync()
  const into = new Uint8Array(20)
  expect(file.read(into, 0)).toBe(12)
  expect(Buffer.from(into.subarray(0, 12)).toString()).toBe('hello\0\0world')
  expect(file.read(into, 12)).toBe(0)
  file.truncate(3)
  file.truncate(5)
  expect(content(disk, path)).toBe('hel\0\0')
  expect(disk.size(path)).toBe(5)
  file.close()
})

test.each(disks)('%s keeps what the caller writes over later', (_name, make) => {
  const disk = make()
  const path = join(folderOn(disk), 'file')
  const file = disk.open(path, 'create')
  // A Buffer: its slice shares memory.
  const memory = Buffer.from('first')
  file.write(memory, 0)
  memory.write('XXXXX')
  expect(content(disk, path)).toBe('first')
  file.close()
})

test.each(disks)('%s creates only what is not there, and opens only what is', (_name, make) => {
  const disk = make()
  const path = join(folderOn(disk), 'file')
  expect(() => disk.open(path, 'read')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  expect(() => disk.open(path, 'write')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  disk.open(path, 'create').close()
  expect(() => disk.open(path, 'create')).toThrow(expect.objectContaining({ code: 'EEXIST' }))
  expect(disk.exists(path)).toBe(true)
})

test.each(disks)('%s lists, renames over another, and removes', async (_name, make) => {
  const disk = make()
  const folder = folderOn(disk)
  for (const name of ['b', 'a', 'c']) {
    const file = disk.open(join(folder, name), 'create')
    file.write(bytes(name), 0)
    file.close()
  }
  expect(disk.list(folder)).toEqual(['a', 'b', 'c'])
  disk.rename(join(folder, 'a'), join(folder, 'b'))
  expect(disk.list(folder)).toEqual(['b', 'c'])
  expect(content(disk, join(folder, 'b'))).toBe('a')
  disk.unlink(join(folder, 'b'))
  await disk.unlinkAsync(join(folder, 'c'))
  disk.syncDirectory(folder)
  expect(disk.list(folder)).toEqual([])
  expect(disk.list(join(folder, 'nothing'))).toEqual([])
  expect(() => disk.unlink(join(folder, 'b'))).toThrow(expect.objectContaining({ code: 'ENOENT' }))
})

test.each(disks)('%s makes folders with those above them, and does not mind those that are there', (_name, make) => {
  const disk = make()
  const folder = join(folderOn(disk), 'a', 'b')
  disk.makeDirectory(folder)
  disk.makeDirectory(folder)
  expect(disk.exists(folder)).toBe(true)
  expect(disk.freeBytes(folder)).toBeGreaterThan(0)
})

test.each(disks)('%s lets one hold a lock, until it gives it back', (_name, make) => {
  const disk = make()
  const path = join(folderOn(disk), 'lock')
  const release = disk.lock(path)
  expect(release).not.toBeNull()
  expect(disk.lock(path)).toBeNull()
  release?.()
  const again = disk.lock(path)
  expect(again).not.toBeNull()
  again?.()
})

test.each(disks)('%s goes on reading a file that was removed or replaced while it is open', (_name, make) => {
  const disk = make()
  const path = join(folderOn(disk), 'file')
  const file = disk.open(path, 'create')
  file.write(bytes('old'), 0)
  const reader = disk.open(path, 'read')
  disk.unlink(path)
  const into = new Uint8Array(3)
  expect(reader.read(into, 0)).toBe(3)
  expect(Buffer.from(into).toString()).toBe('old')
  reader.close()
  file.close()
})

test('NodeDisk gives a descriptor back only when the syncs under way are done', async () => {
  const disk = new NodeDisk()
  const folder = temporaryFolder(onTestFinished)
  const file = disk.open(join(folder, 'file'), 'create')
  file.write(new Uint8Array(1_000_000), 0)
  const syncs = [file.syncAsync(), file.syncAsync()]
  file.close()
  // Would take the same number, were it free.
  const other = disk.open(join(folder, 'other'), 'create')
  await Promise.all(syncs)
  other.write(bytes('x'), 0)
  expect(content(disk, join(folder, 'other'))).toBe('x')
  expect(() => file.size()).toThrow(expect.objectContaining({ code: 'EBADF' }))
  other.close()
})
