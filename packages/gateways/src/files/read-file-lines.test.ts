import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { limits } from '@millwright/core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLineFile } from './line-file.ts'
import { readFileLines } from './read-file-lines.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millwright-files-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

let fileCount = 0
function fileOf(content: string | Uint8Array): string {
  const path = join(folder, `file-${fileCount++}`)
  writeFileSync(path, content)
  return path
}

async function textOf(path: string, options: { startPosition?: number; chunkBytes?: number } = {}) {
  let text = ''
  const positions: number[] = []
  const linePositions: number[] = []
  for await (const lines of readFileLines(path, options)) {
    text += Buffer.from(lines.bytes).toString()
    positions.push(lines.endPosition)
    for (let end = lines.bytes.indexOf(10) + 1, line = 0; end > 0; end = lines.bytes.indexOf(10, end) + 1)
      linePositions.push(lines.positionAfter(line++, end))
  }
  return { text, positions, linePositions }
}

function textByLineFile(path: string, options: { startPosition?: number; chunkBytes?: number } = {}) {
  const file = openLineFile(path, options)
  let memory = new Uint8Array(0)
  const target = (byteLength: number): Uint8Array => {
    // As a WebAssembly memory does, it moves, is longer than asked for, and holds what was there before.
    memory = new Uint8Array(byteLength + 100).fill(10)
    return memory
  }
  let text = ''
  const positions: number[] = []
  for (let length = file.readInto(target); length > 0; length = file.readInto(target)) {
    text += Buffer.from(memory.subarray(0, length)).toString()
    positions.push(file.position)
  }
  file.close()
  return { text, positions }
}

function positionsAfterLines(text: string): number[] {
  const positions: number[] = []
  for (let end = text.indexOf('\n') + 1; end > 0; end = text.indexOf('\n', end) + 1) positions.push(end)
  if (!text.endsWith('\n') && text !== '') positions.push(text.length)
  return positions
}

const linesOfText = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), { maxLength: 60, size: 'max' })

describe('readFileLines() and openLineFile()', () => {
  test('give the same text for any chunk size, plain and compressed, and go on from any position', async () => {
    await fc.assert(
      fc.asyncProperty(linesOfText, fc.integer({ min: 1, max: 50 }), fc.boolean(), async (lines, chunkBytes, final) => {
        const text = lines.join('\n') + (final && lines.length > 0 ? '\n' : '')
        const whole = (rest: string): string => (rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`)
        const wanted = whole(text)
        const after = (position: number): string => whole(Buffer.from(text).subarray(position).toString())
        const plain = fileOf(text)
        const compressed = fileOf(gzipSync(text))
        for (const path of [plain, compressed]) {
          const { text: found, positions, linePositions } = await textOf(path, { chunkBytes })
          expect(found).toBe(wanted)
          expect(linePositions).toEqual(positionsAfterLines(text))
          for (const startPosition of positions.slice(0, 3))
            expect((await textOf(path, { startPosition })).text).toBe(after(startPosition))
        }
        const { text: found, positions } = textByLineFile(plain, { chunkBytes })
        expect(found).toBe(wanted)
        for (const startPosition of positions.slice(0, 3))
          expect(textByLineFile(plain, { startPosition }).text).toBe(after(startPosition))
      }),
      { numRuns: 60, seed: 21 },
    )
  })

  test('cut a line that is too long to one byte more than the bound, and keep its neighbours', async () => {
    const long = 'x'.repeat(3 * limits.lineBytesMax)
    const wanted = `a\n${long.slice(0, limits.lineBytesMax + 1)}\nb\n`
    expect((await textOf(fileOf(gzipSync(`a\n${long}\nb`)))).text === wanted).toBe(true)
    const plain = fileOf(`a\n${long}\nb\n`)
    expect((await textOf(plain)).text === wanted).toBe(true)
    expect(textByLineFile(plain).text === wanted).toBe(true)
    expect((await textOf(plain)).linePositions).toEqual([2, long.length + 3, long.length + 5])
  })

  test('tell how far the file on disk has been read', async () => {
    const content = gzipSync('one\ntwo\n'.repeat(50_000))
    const progress: number[] = []
    const path = fileOf(content)
    for await (const _ of readFileLines(path, { onProgress: (read, total) => progress.push(read / total) }));
    expect(progress.at(-1)).toBe(1)
    expect([...progress].sort((a, b) => a - b)).toEqual(progress)
  })

  test('refuse a path that is no file, and a place past the end', async () => {
    const path = fileOf('abc\n')
    await expect(textOf(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await expect(textOf(folder)).rejects.toMatchObject({ code: 'CONFIGURATION' })
    await expect(textOf(path, { startPosition: 5 })).rejects.toMatchObject({ code: 'INPUT_SHRANK' })
    await expect(textOf(fileOf(gzipSync('abc\n')), { startPosition: 5 })).rejects.toMatchObject({
      code: 'INPUT_SHRANK',
      details: { foundBytes: 4, wantedBytes: 5 },
    })
    expect(() => openLineFile(join(folder, 'nowhere'))).toThrow('does not exist')
    expect(() => openLineFile(path, { startPosition: 5 })).toThrow('now holds only 4')
  })
})

describe('readFileLines() of gzip files', () => {
  const text = Array.from({ length: 40_000 }, (_, i) => `{"line":${i},"value":${Math.imul(i, 2654435761)}}`).join('\n')

  test('read several members one after the other, as gzip does', async () => {
    const path = fileOf(Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')]))
    expect((await textOf(path)).text).toBe('a\nbc\nd\n')
  })

  test('give every whole line of a file that was cut, then say where it ends', async () => {
    const whole = gzipSync(text)
    for (const cutAt of [whole.length - 4, whole.length - 9, whole.length >> 1, 200]) {
      const path = fileOf(whole)
      truncateSync(path, cutAt)
      let found = ''
      const reading = (async () => {
        for await (const { bytes } of readFileLines(path)) found += Buffer.from(bytes).toString()
      })()
      await expect(reading).rejects.toMatchObject({ code: 'INPUT_DAMAGED', details: { positionBytes: cutAt } })
      expect(text.startsWith(found.slice(0, -1))).toBe(true)
      // What the reference decompressor gets out of the same bytes, in whole lines, is what was given out.
      const reference = execFileSync('sh', ['-c', `gzip -dc < '${path}' 2>/dev/null || true`], { maxBuffer: 1e8 })
      expect(found.length).toBe(reference.lastIndexOf(10) + 1)
    }
  })

  test('say so when the compressed bytes are damaged', async () => {
    const damaged = gzipSync(text)
    damaged.fill(0xff, damaged.length >> 1, (damaged.length >> 1) + 40)
    await expect(textOf(fileOf(damaged))).rejects.toMatchObject({ code: 'INPUT_DAMAGED' })
  })

  test('hold little memory though the file expands a thousandfold', async () => {
    const path = fileOf(gzipSync(Buffer.alloc(200e6, 'a line of nothing much\n')))
    const before = process.memoryUsage().arrayBuffers
    let largest = 0
    let total = 0
    for await (const { bytes } of readFileLines(path)) {
      total += bytes.length
      largest = Math.max(largest, process.memoryUsage().arrayBuffers - before)
    }
    expect(total).toBeGreaterThanOrEqual(200e6)
    // The collector is in no hurry; all of it at once would be 200 MB.
    expect(largest).toBeLessThan(100e6)
  })
})
