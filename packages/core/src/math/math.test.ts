import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as math from './index.ts'

type UnaryName = Exclude<keyof typeof math, 'pow' | 'atan2' | 'hypot'>
type BinaryName = 'pow' | 'atan2' | 'hypot'

/** Distance from the correctly rounded answer that each docstring promises, in units of the last place. */
const ulpMax: Record<UnaryName | BinaryName, number> = {
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  log2: 1,
  log10: 1,
  sin: 1,
  cos: 1,
  tan: 1,
  asin: 1,
  acos: 1,
  atan: 1,
  atan2: 1,
  cbrt: 1,
  hypot: 1,
  pow: 1,
  sinh: 2,
  cosh: 2,
  tanh: 2,
  asinh: 2,
  acosh: 2,
  atanh: 2,
}
const names = Object.keys(ulpMax) as (keyof typeof ulpMax)[]
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'math.golden.json'), 'utf8')) as Record<
  string,
  number[][]
>

const buffer = new DataView(new ArrayBuffer(8))
/** Position of a double among all doubles in order, so that a difference of 1 is one unit in the last place. */
function ordinal(x: number): bigint {
  buffer.setFloat64(0, x)
  const bits = buffer.getBigInt64(0)
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
}
function ulpDistance(a: number, b: number): number {
  if (Object.is(a, b)) return 0
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.POSITIVE_INFINITY
  const difference = ordinal(a) - ordinal(b)
  return Number(difference < 0n ? -difference : difference)
}
const call = (library: object, name: string, values: number[]): number =>
  (library as Record<string, (...values: number[]) => number>)[name]?.(...values) as number

describe('math agrees with correctly rounded answers', () => {
  test.each(names)('%s()', (name) => {
    const rows = golden[name] as number[][]
    expect(rows.length).toBeGreaterThanOrEqual(140)
    for (const row of rows) {
      const answer = call(math, name, row.slice(0, -1))
      const wanted = row.at(-1) as number
      expect(
        ulpDistance(answer, wanted),
        `${name}(${row.slice(0, -1)}) = ${answer}, wanted ${wanted}`,
      ).toBeLessThanOrEqual(ulpMax[name])
    }
  })
})

describe('math agrees with Math on any double', () => {
  const any = fc.oneof(
    fc.double(),
    fc.double({ min: -800, max: 800, noNaN: true }),
    fc.double({ min: -2, max: 2, noNaN: true }),
    fc.integer({ min: -60, max: 60 }),
    fc.constantFrom(0, -0, 1, -1, 0.5, Infinity, -Infinity, Number.NaN, 5e-324, Number.MAX_VALUE, Number.MIN_VALUE),
  )
  // Math's own answers are off by up to 1 ulp themselves; V8's hypot by up to 2.
  const slack = (name: keyof typeof ulpMax): number => (name === 'hypot' ? 2 : 1)
  test.each(names)('%s()', (name) => {
    const binary = name === 'pow' || name === 'atan2' || name === 'hypot'
    fc.assert(
      fc.property(any, any, (x, y) => {
        const values = binary ? [x, y] : [x]
        const answer = call(math, name, values)
        const theirs = call(Math, name, values)
        if (ulpDistance(answer, theirs) > ulpMax[name] + slack(name))
          throw new Error(`${name}(${values}) = ${answer}, Math says ${theirs}`)
      }),
      { numRuns: 20_000, seed: 7 },
    )
  })
})

test('log2() and log10() are exact for powers of their base, cbrt() for cubes', () => {
  for (let k = -1022; k < 1024; k++) expect(math.log2(math.pow(2, k))).toBe(k)
  for (let k = 0; k < 23; k++) expect(math.log10(Number(`1e${k}`))).toBe(k)
  for (let k = 1; k < 2000; k++) expect(math.cbrt(k * k * k)).toBe(k)
})
