import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLineCutter } from './line-cutter.ts'

/** Reads `stream` in steps of the given sizes (again and again) and returns the lines and the positions given out. */
function cutInSteps(stream: Uint8Array, steps: readonly number[], lineBytesMax: number) {
  const chunkBytes = Math.min(Math.max(...steps), lineBytesMax)
  const cutter = createLineCutter({ chunkBytes, startPosition: 0, lineBytesMax })
  const lines: string[] = []
  const positions: number[] = []
  let read = 0
  for (let step = 0; ; step++) {
    const memory = new Uint8Array(cutter.memoryBytes)
    const at = cutter.begin(memory)
    const size = Math.min(chunkBytes, steps[step % steps.length] ?? 1)
    const some = stream.subarray(read, read + size)
    memory.set(some, at)
    read += some.length
    const ended = some.length === 0
    const given = cutter.cut(memory, at + some.length, ended)
    if (given > 0) {
      const text = new TextDecoder('latin1').decode(memory.subarray(0, given))
      expect(text.endsWith('\n'), 'C1').toBe(true)
      lines.push(...text.slice(0, -1).split('\n'))
      positions.push(cutter.position)
    }
    if (ended) return { lines, positions }
  }
}

/** What must come out, said in the plainest way: the stream's lines, each cut at the bound. */
function expectedLines(stream: Uint8Array, lineBytesMax: number): string[] {
  const text = new TextDecoder('latin1').decode(stream)
  if (text === '') return []
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n').map((line) => line.slice(0, lineBytesMax + 1))
}

const streams = fc
  .array(
    fc.oneof({ weight: 1, arbitrary: fc.constant(10) }, { weight: 4, arbitrary: fc.integer({ min: 65, max: 90 }) }),
    {
      maxLength: 200,
      size: 'max',
    },
  )
  .map((bytes) => Uint8Array.from(bytes))

describe('createLineCutter()', () => {
  test('gives the same lines wherever reads end, cut only where they are too long (C1, C2, C3)', () => {
    fc.assert(
      fc.property(
        streams,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 40, max: 60 }),
        (stream, steps, lineBytesMax) => {
          expect(cutInSteps(stream, steps, lineBytesMax).lines).toEqual(expectedLines(stream, lineBytesMax))
        },
      ),
      { numRuns: 1000, seed: 7 },
    )
  })

  test('cuts lines far longer than a chunk to the bound, however small the chunks are (C3)', () => {
    const stream = new TextEncoder().encode(`a\n${'x'.repeat(500)}\nb\n${'y'.repeat(11)}\n${'z'.repeat(300)}`)
    for (const steps of [[1], [3], [10], [7, 1, 10]])
      expect(cutInSteps(stream, steps, 10).lines).toEqual(['a', 'x'.repeat(11), 'b', 'y'.repeat(11), 'z'.repeat(11)])
  })

  test('positions are line boundaries of the stream, and what comes after one is the rest of the lines (C4)', () => {
    fc.assert(
      fc.property(
        streams,
        fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 }),
        (stream, steps) => {
          const { lines, positions } = cutInSteps(stream, steps, 12)
          expect(positions.at(-1) ?? 0).toBe(stream.length)
          for (const position of positions) {
            expect(position === stream.length || stream[position - 1] === 10).toBe(true)
            const rest = expectedLines(stream.subarray(position), 12)
            expect(lines.slice(lines.length - rest.length)).toEqual(rest)
          }
        },
      ),
      { numRuns: 500, seed: 8 },
    )
  })
})
