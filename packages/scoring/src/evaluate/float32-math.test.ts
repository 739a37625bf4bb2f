import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFloat32s } from '../../oracle/cases.ts'
import { exp32, log32 } from './float32-math.ts'

// Golden values of glibc itself; `packages/scoring/oracle/glibc-exp-log.c` made them.
const triples = readFloat32s(join(import.meta.dirname, '../../../../fixtures/scoring/glibc-2.36-exp-log.f32'))

function differences(compute: (x: number) => number, column: 1 | 2): string[] {
  const found: string[] = []
  for (let i = 0; i < triples.length; i += 3) {
    const x = triples[i] as number
    const wanted = triples[i + column] as number
    if (!Object.is(compute(x), wanted)) found.push(`${x}: found ${compute(x)}, wanted ${wanted}`)
  }
  return found
}

test('exp32() has the bits of expf, subnormal results, both ends and NaN included', () => {
  expect(triples.length).toBeGreaterThan(9000)
  expect(differences(exp32, 1)).toEqual([])
})

test('log32() has the bits of logf, subnormal arguments, 0, negative ones and NaN included', () => {
  expect(differences(log32, 2)).toEqual([])
})
