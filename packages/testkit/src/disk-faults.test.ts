import { beforeEach, expect, test } from 'vitest'
import { FaultDisk, PowerCutError } from './disk-faults.ts'
import { MemoryDisk } from './disk-memory.ts'

let memory: MemoryDisk
let disk: FaultDisk

beforeEach(() => {
  memory = new MemoryDisk()
  disk = new FaultDisk(memory)
  disk.makeDirectory('/a')
})

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(1)

test('every operation that changes the disk is counted, reads are not', () => {
  const before = disk.operationCount
  const file = disk.open('/a/file', 'create')
  file.write(bytes(3), 0)
  file.sync()
  file.truncate(1)
  disk.rename('/a/file', '/a/other')
  disk.syncDirectory('/a')
  disk.unlink('/a/other')
  expect(disk.operationCount - before).toBe(7)
  file.read(bytes(1), 0)
  file.size()
  disk.list('/a')
  disk.exists('/a')
  disk.makeDirectory('/a')
  expect(disk.operationCount - before).toBe(7)
})

test('a fault happens at the operation, as often as, and on the path that it says', () => {
  disk.fail({ operation: 'write', fault: 'fail', at: 2, count: 2, path: 'this' })
  const [one, other] = ['/a/this', '/a/that'].map((path) => disk.open(path, 'create'))
  const write = (file = one): string => {
    try {
      return String(file?.write(bytes(4), 0))
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect([write(), write(other), write(), write(other), write(), write()]).toEqual(['4', '4', 'EIO', '4', 'EIO', '4'])
})

test('a short write takes the first half and says so by its count', () => {
  disk.fail({ operation: 'write', fault: 'short' })
  const file = disk.open('/a/file', 'create')
  expect(file.write(bytes(9), 0)).toBe(4)
  expect(file.size()).toBe(4)
})

test('a full disk takes a part, then answers ENOSPC; overwriting needs no room; heal() gives room again', () => {
  const file = disk.open('/a/file', 'create')
  disk.limitRoom(10)
  expect(disk.freeBytes('/a')).toBe(10)
  expect(file.write(bytes(6), 0)).toBe(6)
  expect(file.write(bytes(6), 6)).toBe(4)
  expect(() => file.write(bytes(6), 10)).toThrow(expect.objectContaining({ code: 'ENOSPC' }))
  expect(file.write(bytes(5), 2)).toBe(5)
  disk.heal()
  expect(file.write(bytes(6), 10)).toBe(6)
})

test('a failed sync fails for good what it should have covered', async () => {
  disk.syncDirectory('/a')
  const file = disk.open('/a/file', 'create')
  disk.syncDirectory('/a')
  disk.syncDirectory('/')
  file.write(bytes(5), 0)
  disk.fail({ operation: 'sync', fault: 'fail' })
  await expect(file.syncAsync()).rejects.toMatchObject({ code: 'EIO' })
  file.sync()
  for (let seed = 0; seed < 10; seed++) expect(memory.afterPowerCut(seed).size('/a/file')).toBe(0)
})

test('from the power cut on nothing works, and the last operation reached the cache at most', async () => {
  const file = disk.open('/a/file', 'create')
  disk.cutPowerAt(disk.operationCount + 2)
  file.write(bytes(1), 0)
  expect(() => file.write(bytes(3), 0)).toThrow(PowerCutError)
  expect(memory.size('/a/file')).toBe(3)
  expect(disk.isPowerCut).toBe(true)
  await disk.whenPowerCut
  for (const act of [() => file.write(bytes(9), 0), () => file.sync(), () => disk.unlink('/a/file')])
    expect(act).toThrow(PowerCutError)
  expect(memory.size('/a/file')).toBe(3)
})
