import { expect, test } from 'vitest'
import { MemoryDisk } from './disk-memory.ts'
import { MemoryFileContent, sectorBytes } from './disk-memory-file.ts'

const seeds = Array.from({ length: 40 }, (_, seed) => seed)
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

function diskWithFile(): { disk: MemoryDisk; file: ReturnType<MemoryDisk['open']> } {
  const disk = new MemoryDisk()
  disk.makeDirectory('/a')
  disk.syncDirectory('/')
  const file = disk.open('/a/file', 'create')
  return { disk, file }
}

test('a power cut leaves what was synced, whatever was written after it (N1)', () => {
  const { disk, file } = diskWithFile()
  file.write(filled(1000, 1), 0)
  file.sync()
  disk.syncDirectory('/a')
  file.write(filled(1000, 2), 1000)
  for (const seed of seeds) {
    const left = disk.afterPowerCut(seed).files().get('/a/file') as Uint8Array
    expect(left.subarray(0, 1000)).toEqual(filled(1000, 1))
  }
})

test('of what was not synced a power cut leaves all, nothing, or some sectors, whole', () => {
  const { disk, file } = diskWithFile()
  disk.syncDirectory('/a')
  file.write(filled(8 * sectorBytes, 7), 100)
  const outcomes = new Set<string>()
  for (const seed of seeds) {
    const left = disk.afterPowerCut(seed).files().get('/a/file') as Uint8Array
    const sectors: string[] = []
    for (let at = 0; at < left.length; at += sectorBytes) {
      const sector = left.subarray(Math.max(at, 100), Math.min(at + sectorBytes, left.length))
      expect(new Set(sector).size).toBe(1)
      sectors.push(String(sector[0]))
    }
    outcomes.add(sectors.join(''))
  }
  expect(outcomes).toContain('')
  expect(outcomes).toContain('777777777')
  expect(outcomes.size).toBeGreaterThan(5)
})

test('what a failed sync should have covered is never durable, though it can be read (N2)', () => {
  const content = new MemoryFileContent()
  content.write(filled(10, 1), 0)
  content.failSync()
  content.write(filled(10, 2), 10)
  content.sync()
  expect(content.bytes()).toEqual(new Uint8Array([...filled(10, 1), ...filled(10, 2)]))
  const left = content.afterPowerCut(() => 0.5).bytes()
  expect(left).toEqual(new Uint8Array([...filled(10, 0), ...filled(10, 2)]))
})

test('a name is durable with the sync of its folder, not with that of its file (V1)', () => {
  const { disk, file } = diskWithFile()
  file.write(filled(10, 1), 0)
  file.sync()
  const survivors = seeds.filter((seed) => disk.afterPowerCut(seed).exists('/a/file'))
  expect(survivors.length).toBeGreaterThan(0)
  expect(survivors.length).toBeLessThan(seeds.length)
  disk.syncDirectory('/a')
  for (const seed of seeds) expect(disk.afterPowerCut(seed).exists('/a/file')).toBe(true)
})

test('a rename that was not synced leaves the old name or the new, never none', () => {
  const { disk } = diskWithFile()
  disk.syncDirectory('/a')
  disk.rename('/a/file', '/a/other')
  const names = new Set(seeds.map((seed) => disk.afterPowerCut(seed).list('/a').join()))
  expect([...names].sort()).toEqual(['file', 'other'])
})

test('an equal seed leaves an equal disk', () => {
  const { disk, file } = diskWithFile()
  file.write(filled(5000, 3), 0)
  expect(disk.afterPowerCut(9).files()).toEqual(disk.afterPowerCut(9).files())
})

test('a kill leaves everything written and frees the locks; what was not synced still is not', () => {
  const { disk, file } = diskWithFile()
  expect(disk.lock('/a/lock')).not.toBeNull()
  file.write(filled(10, 1), 0)
  disk.killProcess()
  expect(disk.lock('/a/lock')).not.toBeNull()
  expect(disk.files().get('/a/file')).toEqual(filled(10, 1))
  expect(seeds.some((seed) => !disk.afterPowerCut(seed).exists('/a/file'))).toBe(true)
})

test('a closed file is not written to', () => {
  const { file } = diskWithFile()
  file.close()
  expect(() => file.write(filled(1, 1), 0)).toThrow(expect.objectContaining({ code: 'EBADF' }))
})
