import { limits } from '@millwright/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { writeUbjson } from '../../oracle/write-ubjson.ts'
import { JsonReader } from './json-reader.ts'
import { ModelFileError, type ModelFileReason } from './model-file-error.ts'
import { UbjsonReader } from './ubjson-reader.ts'
import type { ValueReader } from './value-reader.ts'

// Both readers are held to the same promises: what was written comes back; what is not asked for can be skipped or read later.

const encoder = new TextEncoder()
const formats: readonly (readonly [string, (value: unknown) => ValueReader])[] = [
  ['JsonReader', (value) => new JsonReader(encoder.encode(JSON.stringify(value)))],
  ['UbjsonReader', (value) => new UbjsonReader(writeUbjson(value))],
]

/** Builds the whole value, by way of every method that reads one. */
function readAll(reader: ValueReader): unknown {
  switch (reader.kind()) {
    case 'object': {
      const fields: [string, unknown][] = []
      reader.object((name) => fields.push([name, readAll(reader)]))
      return Object.fromEntries(fields)
    }
    case 'array': {
      const elements: unknown[] = []
      reader.array((index) => expect(elements.push(readAll(reader))).toBe(index + 1))
      return elements
    }
    case 'string':
      return reader.string()
    case 'number':
      return reader.number()
    default: {
      const kind = reader.kind()
      reader.skip()
      return kind
    }
  }
}

function reasonOf(action: () => unknown): ModelFileReason | 'no error' {
  try {
    action()
  } catch (error) {
    if (error instanceof ModelFileError) return error.reason
    throw error
  }
  return 'no error'
}

const json = (text: string): JsonReader => new JsonReader(encoder.encode(text))
const ubjson = (...bytes: (number | string)[]): UbjsonReader =>
  new UbjsonReader(
    Uint8Array.from(bytes.flatMap((part) => (typeof part === 'number' ? [part] : [...encoder.encode(part)]))),
  )

describe.each(formats)('%s', (_, open) => {
  const { value: values } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }))

  test('reads back what was written, and can skip it or read it later', () => {
    fc.assert(
      fc.property(values, (value) => {
        if (value !== null && typeof value === 'object' && Object.hasOwn(value, '__proto__')) return
        const reader = open([value, 'after'])
        const wanted = JSON.parse(JSON.stringify(value)) as unknown
        let later: unknown
        reader.array((index) => {
          if (index === 1) return expect(reader.string()).toBe('after')
          const read = reader.postpone()
          read(() => {
            later = readAll(reader)
          })
        })
        reader.end()
        expect(later).toEqual(wanted)
      }),
      { seed: 3, numRuns: 500 },
    )
  })

  test('reads arrays of numbers as float32, whole numbers and flags', () => {
    const reader = open([[1.5, -2, 3e-3], [1, -7, 3e9, -3e9], [true, false, 1, 0], []])
    reader.array((index) => {
      if (index === 0) expect(reader.float32s(3)).toEqual(Float32Array.of(1.5, -2, 3e-3))
      else if (index === 1) expect(reader.integers(4)).toEqual(Int32Array.of(1, -7, 0x7fff_ffff, -0x8000_0000))
      else if (index === 2) expect(reader.flags(4)).toEqual(Uint8Array.of(1, 0, 1, 0))
      else expect(reader.integers(0)).toEqual(new Int32Array(0))
    })
    reader.end()
  })

  test('refuses what is not the kind that is wanted', () => {
    expect(reasonOf(() => open('a').number())).toBe('wrong-type')
    expect(reasonOf(() => open(1).string())).toBe('wrong-type')
    expect(reasonOf(() => open(1).object(() => undefined))).toBe('wrong-type')
    expect(reasonOf(() => open({}).array(() => undefined))).toBe('wrong-type')
    expect(reasonOf(() => open(['a']).float32s(9))).toBe('wrong-type')
    expect(reasonOf(() => open([1.5]).integers(9))).toBe('wrong-type')
    expect(reasonOf(() => open([2]).flags(9))).toBe('wrong-type')
  })

  test('refuses one number more than asked for, and one level more than the limit', () => {
    expect(reasonOf(() => open([1, 2, 3]).float32s(2))).toBe('too-many')
    let deep: unknown = 1
    for (let level = 0; level < limits.modelFileDepthMax; level++) deep = [deep]
    expect(reasonOf(() => open(deep).skip())).toBe('no error')
    expect(reasonOf(() => readAll(open(deep)))).toBe('no error')
    expect(reasonOf(() => open([deep]).skip())).toBe('too-deep')
    expect(reasonOf(() => readAll(open([deep])))).toBe('too-deep')
  })

  test('refuses a string beyond the limit, and says where', () => {
    const reader = open({ a: [{ b: 'x'.repeat(limits.modelStringBytesMax + 1) }] })
    try {
      readAll(reader)
      expect.unreachable()
    } catch (error) {
      expect((error as ModelFileError).reason).toBe('string-too-long')
      expect((error as ModelFileError).details).toMatchObject({ where: 'a[0].b' })
    }
  })
})

test('JsonReader reads every way to write a number, and what XGBoost writes for those that JSON lacks', () => {
  const texts = [
    '0',
    '-0',
    '1E0',
    '2.5e-1',
    '-1.2345678E-12',
    '9007199254740993',
    '0.1',
    '1e22',
    '1e23',
    '123456789012345678',
    '5E-324',
  ]
  for (const text of texts) expect(json(text).number()).toBe(Number(text))
  expect([...json('[NaN,Infinity,-Infinity]').float32s(3)]).toEqual([Number.NaN, Infinity, -Infinity])
  for (const wrong of ['-', '.', '1e', '--1', '1.2.3', '1e5e5', '+-1', 'Na', '1'.repeat(65)])
    expect(reasonOf(() => json(`[${wrong}]`).float32s(9))).toBe('malformed')
  expect(reasonOf(() => json('[4e38]').float32s(9))).toBe('number-out-of-range')
})

test('JsonReader refuses malformed text', () => {
  for (const wrong of [
    '[1 2]',
    '[,1]',
    '{"a" 1}',
    '{1:2}',
    '[1,]',
    '{"a":1,}',
    '["\\x"]',
    '["\u0001"]',
    '[tru]',
    '[?]',
  ])
    expect(reasonOf(() => readAll(json(wrong)))).toMatch(/malformed|wrong-type/)
  for (const wrong of ['[1}', '{]', '[[1]']) expect(reasonOf(() => json(wrong).skip())).toMatch(/malformed|truncated/)
  for (const cut of ['', '[', '[1', '[1,', '{"a', '{"a"', '{"a":', '"abc', '"abc\\'])
    expect(reasonOf(() => readAll(json(cut)))).toBe('truncated')
  expect(reasonOf(() => new JsonReader(Uint8Array.of(0x22, 0xff, 0x22)).string())).toBe('not-utf8')
  const reader = json('1 x')
  reader.number()
  expect(reasonOf(() => reader.end())).toBe('trailing-bytes')
})

test('JsonReader skips a hundred thousand levels of nesting without a stack for them', () => {
  expect(reasonOf(() => json('['.repeat(100_000)).skip())).toBe('too-deep')
})

test('UbjsonReader reads every kind of number and length', () => {
  const numbers: readonly (readonly [(number | string)[], number])[] = [
    [['i', 0xfe], -2],
    [['U', 0xfe], 254],
    [['C', 0x41], 65],
    [['I', 0x80, 0], -32_768],
    [['l', 0xff, 0xff, 0xff, 0xff], -1],
    [['L', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1],
    [['L', 0, 0, 0, 1, 0, 0, 0, 2], 4_294_967_298],
    [['d', 0x3f, 0xc0, 0, 0], 1.5],
    [['D', 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], 0.1],
  ]
  for (const [bytes, wanted] of numbers) expect(ubjson(...bytes).number()).toBe(wanted)
  expect(ubjson('S', 'i', 2, 'ab').string()).toBe('ab')
  expect(ubjson('[', 'i', 1, 'd', 0x3f, 0xc0, 0, 0, ']').float32s(2)).toEqual(Float32Array.of(1, 1.5))
  expect(ubjson('[$I#i', 2, 0, 1, 0, 2).integers(2)).toEqual(Int32Array.of(1, 2))
})

test('UbjsonReader refuses lengths that lie before it reserves anything for them', () => {
  const huge = [0x4c, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
  expect(reasonOf(() => ubjson('[$d#', ...huge).float32s(1e9))).toBe('length-beyond-file')
  expect(reasonOf(() => ubjson('[#', ...huge).array(() => undefined))).toBe('length-beyond-file')
  expect(reasonOf(() => ubjson('[$L#i', 3, 0, 0).skip())).toBe('length-beyond-file')
  expect(reasonOf(() => ubjson('S', ...huge).string())).toBe('string-too-long')
  expect(reasonOf(() => ubjson('Si', 9, 'abc').string())).toBe('truncated')
  expect(reasonOf(() => ubjson('[#i', 0xff).skip())).toBe('malformed')
  // Elements of no size: a count of 2^60 would be a loop without end.
  for (const type of ['T', 'Z', 'S', '[', '{'])
    expect(reasonOf(() => ubjson(`[$${type}#`, ...huge).skip())).toBe('malformed')
})

test('UbjsonReader refuses what is malformed or cut off', () => {
  for (const wrong of ['N', 'H', '?', ']', '}']) expect(reasonOf(() => ubjson(wrong).skip())).toBe('malformed')
  expect(reasonOf(() => ubjson('{d', 0, 0, 0, 0).skip())).toBe('malformed')
  expect(reasonOf(() => ubjson('[$di', 1).skip())).toBe('malformed')
  const whole = writeUbjson({ a: [1, 'b', Float32Array.of(1, 2), null, true] })
  for (let length = 0; length < whole.length; length++)
    expect(reasonOf(() => new UbjsonReader(whole.subarray(0, length)).skip())).toMatch(/truncated|length-beyond-file/)
  const reader = ubjson('Zx')
  reader.skip()
  expect(reasonOf(() => reader.end())).toBe('trailing-bytes')
})
