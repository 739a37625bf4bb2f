import { appendFileSync, copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sourceIdOf } from './source-id.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-source-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const among =
  (...ids: readonly string[]) =>
  (id: string): boolean =>
    ids.includes(id)
const long = 'a reading\n'.repeat(10_000)

describe('sourceIdOf()', () => {
  test('a long file is the same source when it grows, is renamed or copied', async () => {
    const path = join(folder, 'a.ndjson')
    writeFileSync(path, long)
    const id = await sourceIdOf(path)
    expect(id).toMatch(/^file-65536-[0-9a-f]{32}$/)
    appendFileSync(path, 'more\n')
    renameSync(path, join(folder, 'b.ndjson'))
    copyFileSync(join(folder, 'b.ndjson'), join(folder, 'c.ndjson'))
    expect(await sourceIdOf(join(folder, 'b.ndjson'))).toBe(id)
    expect(await sourceIdOf(join(folder, 'c.ndjson'))).toBe(id)
  })

  test('a short file that grows at its place is the same source, step after step', async () => {
    const path = join(folder, 'a.ndjson')
    writeFileSync(path, 'one\n')
    const id = await sourceIdOf(path)
    expect(id.length).toBeLessThanOrEqual(64)
    for (const more of ['two\n', long]) {
      appendFileSync(path, more)
      expect(await sourceIdOf(path)).not.toBe(id)
      expect(await sourceIdOf(path, among('mqtt-plant', id))).toBe(id)
    }
  })

  test('of several known beginnings the longest is meant', async () => {
    const path = join(folder, 'a.ndjson')
    writeFileSync(path, 'one\n')
    const first = await sourceIdOf(path)
    appendFileSync(path, 'two\n')
    const second = await sourceIdOf(path)
    appendFileSync(path, 'three\n')
    expect(await sourceIdOf(path, among(first, second))).toBe(second)
    expect(await sourceIdOf(path, among(second, first))).toBe(second)
  })

  test('two short files that begin alike are two sources, and so is a file with new content at an old place', async () => {
    const [a, b] = [join(folder, 'a.csv'), join(folder, 'b.csv')]
    writeFileSync(a, 'time,value\n')
    writeFileSync(b, 'time,value\n1,2\n')
    const id = await sourceIdOf(a)
    expect(await sourceIdOf(b, among(id))).not.toBe(id)
    writeFileSync(a, 'zeit,wert\n1,2\n')
    expect(await sourceIdOf(a, among(id))).not.toBe(id)
    writeFileSync(a, '')
    const empty = await sourceIdOf(a)
    appendFileSync(a, 'anything\n')
    expect(await sourceIdOf(a, among(empty))).not.toBe(empty)
  })

  test('refuses what cannot be opened', async () => {
    await expect(sourceIdOf(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await expect(sourceIdOf(folder)).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})
