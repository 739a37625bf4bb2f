import { describe, expect, test } from 'vitest'
import { createTableReader, readJsonRow } from './read-row.ts'

const named = { featureCount: 3, featureNames: ['temperature', 'vibration', 'pressure'] }
const unnamed = { featureCount: 3, featureNames: null }

function read(text: string, shape: typeof named | typeof unnamed = named): number[] {
  const into = new Float32Array(5).fill(7)
  readJsonRow(text, 4, shape, into, 1)
  expect([into[0], into[4]]).toEqual([7, 7])
  return [...into.subarray(1, 4)]
}

describe('readJsonRow()', () => {
  test('reads arrays by place and objects by name, null and absent as missing, to the nearest float32', () => {
    expect(read('[1.5, null, -0]')).toEqual([1.5, Number.NaN, -0])
    expect(read('{"pressure":0.1,"temperature":2,"note":"x"}')).toEqual([2, Number.NaN, Math.fround(0.1)])
    expect(read('[1,2,3]', unnamed)).toEqual([1, 2, 3])
    expect(read('{"vibration":null}')).toEqual([Number.NaN, Number.NaN, Number.NaN])
  })

  test.each([
    ['[1,2', /line 4: found "\[1,2", wanted JSON/],
    ['[1,2]', /line 4: found 2 values, wanted 3/],
    ['7', /line 4: found 7, wanted an array or an object/],
    ['null', /wanted an array or an object/],
    ['{"temperatur":1}', /found the fields temperatur, wanted some of temperature, vibration, pressure/],
    ['{"vibration":"high"}', /line 4, "vibration": found "high", wanted a finite float32/],
    ['[1,true,3]', /line 4, "vibration": found true/],
    ['[1,1e999,3]', /line 4, "vibration": found null, wanted a finite float32/],
    ['[1,1e39,3]', /line 4, "vibration": found 1e\+39/],
    ['{"__proto__":{"vibration":1}}', /wanted some of/],
  ])('refuses %s', (text, message) => {
    expect(() => read(text)).toThrow(message)
  })

  test('refuses an object where the model has no names, and names a value by its place', () => {
    expect(() => read('{"vibration":1}', unnamed)).toThrow(/wanted an array, since the model has no feature names/)
    expect(() => read('[1,"x",3]', unnamed)).toThrow(/line 4, value 2: found "x"/)
  })

  test('keeps a message short whatever the line', () => {
    expect(() => read('x'.repeat(10_000))).toThrow(/^.{1,300}$/)
  })
})

describe('createTableReader()', () => {
  const numberOf = (cell: string): string | null => (/^-?\d+(\.\d+)?$/.test(cell) ? cell : null)
  const missing = new Set(['', 'NA'])
  const rowOf = (header: string[], cells: string[], shape: typeof named | typeof unnamed = named): number[] => {
    const into = new Float32Array(3)
    createTableReader(header, 1, shape, numberOf, missing).read(cells, 9, into, 0)
    return [...into]
  }

  test('finds columns by name in any order and among others', () => {
    expect(rowOf(['id', 'pressure', ' temperature ', 'vibration'], ['a', '3', '1.5', 'NA'])).toEqual([
      1.5,
      Number.NaN,
      3,
    ])
  })

  test('takes columns by place where the model has no names', () => {
    expect(rowOf(['x', 'y', 'z'], ['1', '', ' 3 '], unnamed)).toEqual([1, Number.NaN, 3])
    expect(() => rowOf(['x', 'y'], [], unnamed)).toThrow(/line 1: found 2 columns, wanted 3/)
  })

  test.each([
    [['temperature'], ['1'], /line 1: found no column vibration, pressure/],
    [['temperature', 'vibration', 'pressure', 'vibration'], [], /line 1, "vibration": found two columns/],
    [['temperature', 'vibration', 'pressure'], ['1', '2'], /line 9: found 2 cells, wanted 3/],
    [
      ['temperature', 'vibration', 'pressure'],
      ['1', '2 mm', '3'],
      /line 9, "vibration": found "2 mm", wanted a number/,
    ],
  ])('refuses header %j with row %j', (header, cells, message) => {
    expect(() => rowOf(header, cells)).toThrow(message)
  })
})
