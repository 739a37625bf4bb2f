import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseIsoTime } from './iso-time.ts'

test.each([
  ['2015-01-05T00:00:00Z', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05t00:00:00z', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05 00:00:00+00:00', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05T00:00Z', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05T01:30+01:30', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05T01:30+0130', '2015-01-05T00:00:00.000Z'],
  ['2015-01-04T19:00-05', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05T00:00:00-00:00', '2015-01-05T00:00:00.000Z'],
  ['2015-01-05T00:00:00.5Z', '2015-01-05T00:00:00.500Z'],
  ['2015-01-05T00:00:00,25Z', '2015-01-05T00:00:00.250Z'],
  ['2015-01-05T00:00:00.0019999999999999999999Z', '2015-01-05T00:00:00.001Z'],
  ['2024-02-29T23:59:59.999Z', '2024-02-29T23:59:59.999Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
])('parseIsoTime() reads %s', (text, wanted) => {
  expect(parseIsoTime(text)).toBe(Date.parse(wanted))
})

test.each([
  '2015-01-05T00:00:00',
  '2015-01-05 00:00',
  '2015-01-05T00:00:00.123',
])('parseIsoTime() says that %s has no zone', (text) => {
  expect(parseIsoTime(text)).toBe('no-zone')
})

test.each([
  ...['', '2015-01-05', '2015-01-05Z', '15-01-05T00:00Z', '2015-1-5T00:00Z', '20150105T000000Z', '2015-01-05T00Z'],
  ...['2015-00-05T00:00Z', '2015-13-05T00:00Z', '2015-01-00T00:00Z', '2015-01-32T00:00Z', '2015-04-31T00:00Z'],
  ...['2015-02-29T00:00Z', '1900-02-29T00:00Z', '2015-01-05T24:00Z', '2015-01-05T00:60Z', '2015-01-05T23:59:60Z'],
  ...[
    '2015-01-05T00:00:00.Z',
    '2015-01-05T00:00:0Z',
    '2015-01-05T00:00.5Z',
    '2015-01-05T00:00+24:00',
    '2015-01-05T00:00+01:60',
  ],
  ...[
    '2015-01-05T00:00+1:00',
    '2015-01-05T00:00+01:',
    '2015-01-05T00:00 Z',
    ' 2015-01-05T00:00Z',
    '2015-01-05T00:00Z\n',
  ],
  ...[
    '+002015-01-05T00:00Z',
    '2015-01-05T00:00UTC',
    '1700000000000',
    '２０15-01-05T00:00Z',
    '2015-01-05T00:00\u221201:00',
  ],
])('parseIsoTime() refuses %j', (text) => {
  expect(parseIsoTime(text)).toBe('not-iso')
})

test('parseIsoTime() agrees with Date.parse on every date, offset and fraction of up to three digits', () => {
  const twoDigits = (value: number): string => String(value).padStart(2, '0')
  fc.assert(
    fc.property(
      fc.date({ min: new Date(-62_135_596_800_000), max: new Date(253_402_300_799_999), noInvalidDate: true }),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom('+', '-'),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 0, max: 59 }),
      (date, fractionDigits, sign, offsetHour, offsetMinute) => {
        const written = date.toISOString()
        const seconds = fractionDigits === 0 ? written.slice(0, 19) : written.slice(0, 20 + fractionDigits)
        const text = `${seconds}${sign}${twoDigits(offsetHour)}:${twoDigits(offsetMinute)}`
        expect(parseIsoTime(text)).toBe(Date.parse(text))
      },
    ),
    { seed: 1, numRuns: 5000 },
  )
})
