import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonNumber } from './cell-number.ts'

const jsonGrammar = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

describe('jsonNumber()', () => {
  test.each([
    ['73.96732207', '73.96732207'],
    ['-0.0', '-0.0'],
    ['0', '0'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['1e999', '1e999'],
    ['1.50E-07', '1.50E-07'],
    ['+5', '5'],
    ['.5', '0.5'],
    ['-.5', '-0.5'],
    ['5.', '5'],
    ['007.250', '7.250'],
    ['00', '0'],
    ['-00.5', '-0.5'],
  ])('gives %s as %s: digits are kept, only what JSON does not know is put right', (cell, wanted) => {
    expect(jsonNumber(cell, '.')).toBe(wanted)
    expect(jsonNumber(cell.replace('.', ','), ',')).toBe(wanted)
  })

  test.each([
    '',
    '.',
    '-',
    '+',
    'e5',
    '.e5',
    '1,234',
    '1,234.5',
    '1.2.3',
    '1 234',
    '12 °C',
    'Infinity',
    '0x10',
    '1e',
    '--1',
    '1_000',
    'NaN',
    '１',
  ])('does not take %j for a number', (cell) => {
    expect(jsonNumber(cell, '.')).toBeNull()
  })

  test('with a decimal comma a point is no part of a number: it could separate thousands', () => {
    expect(jsonNumber('1.234', ',')).toBeNull()
    expect(jsonNumber('1.234,5', ',')).toBeNull()
    expect(jsonNumber('1,5', ',')).toBe('1.5')
  })

  test('answers JSON that reads back as the number the text means, or nothing', () => {
    const pieces = fc.array(fc.constantFrom('0', '1', '9', '05', '.', '-', '+', 'e', 'E', ' '), { maxLength: 8 })
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((some) => some.join('')),
          fc.double({ noNaN: true }).map(String),
        ),
        (cell) => {
          const json = jsonNumber(cell, '.')
          if (json === null) return
          expect(json).toMatch(jsonGrammar)
          expect(JSON.parse(json)).toBe(Number(cell))
        },
      ),
      { numRuns: 3000, seed: 31 },
    )
  })
})
